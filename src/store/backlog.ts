import { keysOf } from './keys.ts';
import type { Redis } from './redis.ts';

/** What waits in the outbox of a sale. */
export interface Backlog {
  /** Batches of decisions. */
  readonly entries: number;
  /** Age of the oldest by Redis' clock, in ms; 0 without any. */
  readonly oldestMs: number;
}

/** Reads the backlog of a sale's outbox, which includes decisions that are being committed now. */
export async function readBacklog(redis: Redis, saleId: string): Promise<Backlog> {
  const { outbox } = keysOf(saleId);
  const [entries, oldest, time] = (await Promise.all([
    redis.command('XLEN', outbox),
    redis.command('XRANGE', outbox, '-', '+', 'COUNT', '1'),
    redis.commandAt(outbox, 'TIME'),
  ])) as [number, [string, string[]][], [string, string]];
  // The id of an entry begins with the milliseconds at which it was added.
  const addedMs = oldest[0] && Number(oldest[0][0].split('-')[0]);
  const nowMs = Number(time[0]) * 1_000 + Math.floor(Number(time[1]) / 1_000);
  return { entries, oldestMs: addedMs === undefined ? 0 : Math.max(0, nowMs - addedMs) };
}
