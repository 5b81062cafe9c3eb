import type { Log } from '../../log.ts';
import type { LiveSale } from '../../sale.ts';
import { sweepOutbox } from '../../store/outbox.ts';
import type { Postgres } from '../../store/postgres.ts';
import type { Redis } from '../../store/redis.ts';
import { reportContradiction } from './contradiction.ts';
import { forEachSale } from './each-sale.ts';

/** A worker commits within some 10 ms, and gives up after 1.5 s: the worker of an older entry is dead or cut off. */
const MIN_AGE_MS = 2_000;

export interface SweeperOptions {
  readonly redis: Redis;
  readonly postgres: Postgres;
  readonly log: Log;
  readonly sales: () => readonly LiveSale[];
  readonly onSwept: (decisions: number) => void;
}

/** Commits the decisions that dead or cut-off workers have left in the outboxes. */
export async function sweep({ redis, postgres, log, sales, onSwept }: SweeperOptions): Promise<void> {
  // The rebuild that a contradiction causes meets it again, and counts it.
  const report = reportContradiction(log, () => {});
  await forEachSale(log, sales(), 'a sale could not be swept', async (sale) => {
    const swept = await sweepOutbox(redis, postgres, sale, MIN_AGE_MS, report);
    onSwept(swept);
    if (swept > 0) log.warn({ sale: sale.id, decisions: swept }, 'decisions of a lost worker committed');
  });
}
