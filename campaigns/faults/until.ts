import { setTimeout as sleep } from 'node:timers/promises';

/** Polls until it is true; what it throws counts as not yet. */
export async function until(
  isTrue: () => boolean | Promise<boolean>,
  what: string,
  ms = 20_000,
  everyMs = 10,
): Promise<void> {
  for (const end = Date.now() + ms; Date.now() < end; await sleep(everyMs)) {
    try {
      if (await isTrue()) return;
    } catch {} // not yet
  }
  throw new Error(`not within ${ms} ms: ${what}`);
}
