/** A worker is killed while buyers buy. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Crowd } from './crowd.ts';
import type { Screen } from './screen.ts';

/** Buyers who shall buy in that moment, and how long to wait for so many. */
const BUYERS = 12;
const GATHER_MS = 5_000;
const LOOK_MS = 50;
/** A worker is back within a second or two; a busy machine takes longer. */
const BACK_MS = 30_000;

interface Worker {
  readonly slot: number;
  readonly pid: number;
}

/** Kills one worker with SIGKILL in the moment in which a dozen buyers press the button, and says what came of it. */
export async function killWorker(
  url: string,
  { till }: Crowd,
  screen: Screen,
  signal: AbortSignal,
): Promise<void> {
  till.shut();
  for (const end = performance.now() + GATHER_MS; till.waiting < BUYERS && performance.now() < end; )
    await sleep(LOOK_MS, undefined, { signal });
  const victim = (await workersOf(url))[0];
  const { waiting } = till;
  const buying = till.open();
  await new Promise(setImmediate);
  if (victim) process.kill(victim.pid, 'SIGKILL');
  screen.say(
    `Worker ${victim?.slot} (process ${victim?.pid}) is killed, kill -9, while ${waiting} buyers press "Buy".`,
  );
  const beganMs = performance.now();
  const { bought, askedAgain } = await buying;
  screen.say(
    `All ${waiting} know what became of it: ${bought} bought. ${askedAgain} had heard nothing at first, and asked again with the same code.`,
  );
  const isBack = ({ slot, pid }: Worker) => slot === victim?.slot && pid !== victim?.pid;
  while (performance.now() - beganMs < BACK_MS) {
    const fresh = (await workersOf(url)).find(isBack);
    if (fresh) return screen.say(`Process ${fresh.pid} has taken its place.`);
    await sleep(LOOK_MS, undefined, { signal });
  }
}

async function workersOf(url: string): Promise<Worker[]> {
  const answer = await fetch(new URL('/health', url)).catch(() => undefined);
  const { workers = [] } = ((await answer?.json().catch(() => ({}))) ?? {}) as { workers?: Worker[] };
  return workers;
}
