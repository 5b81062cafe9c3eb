import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { openConnection } from '../../perf/client.ts';

/** What a worker holds. */
export interface Holdings {
  readonly pid: number;
  readonly rssBytes: number;
  /** Open files, sockets among them. */
  readonly files: number;
}

/** All workers of a service, by slot; waits until each of them has said that it is there. */
export async function readWorkers(url: string, count: number): Promise<Holdings[]> {
  const connection = openConnection(url);
  try {
    for (;;) {
      const { body } = await connection.request('GET', '/health');
      const { workers } = JSON.parse(body) as { workers: { slot: number; pid: number }[] };
      if (workers.length === count)
        return workers.sort((a, b) => a.slot - b.slot).map(({ pid }) => holdingsOf(pid));
      await sleep(100);
    }
  } finally {
    connection.close();
  }
}

function holdingsOf(pid: number): Holdings {
  const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
  return { pid, rssBytes: Number(kib) * 1_024, files: readdirSync(`/proc/${pid}/fd`).length };
}

/** Connections that close behind an answer are let go of a moment later. */
const SETTLE_MS = 3_000;
/**
 * Between rounds of 40,000 malformed requests a worker's memory moves by some 30 MiB without growing, and pages that
 * nobody fetches come on top. A leak of 3 KiB per request of a long campaign is more than this.
 */
const GROWTH_MAX_BYTES = 100 << 20;
/** Files of the spool and connections to stores that come and go. */
const FILES_SLACK = 6;

/** Compares what workers held before with what they hold now: one sentence for each that died or keeps something. */
export async function compareWorkers(url: string, before: readonly Holdings[]): Promise<string[]> {
  await sleep(SETTLE_MS);
  const now = await readWorkers(url, before.length);
  return before.flatMap((was, slot) => {
    const is = now[slot] as Holdings;
    if (is.pid !== was.pid) return [`worker ${slot} died: its pid was ${was.pid} and is ${is.pid}`];
    const found: string[] = [];
    if (is.files > was.files + FILES_SLACK)
      found.push(`worker ${slot} had ${was.files} files open, and has ${is.files}`);
    const grown = is.rssBytes - was.rssBytes;
    if (grown > GROWTH_MAX_BYTES)
      found.push(`worker ${slot} has grown by ${Math.round(grown / (1 << 20))} MiB`);
    return found;
  });
}
