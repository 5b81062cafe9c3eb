import type { Log } from '../../log.ts';
import type { Postgres } from '../../store/postgres.ts';
import { createSale } from '../../store/sales.ts';

const HOUR_MS = 3_600_000;

export interface SchedulerOptions {
  readonly postgres: Postgres;
  readonly log: Log;
  readonly items: number;
  readonly userLimit: number;
}

/**
 * Makes sure that the hourly sales of the hour of `nowMs` and of the next hour exist. Idempotent: an hour has one
 * hourly sale, by a unique index. The next sale exists a whole hour ahead, so the change has no gap; starts are
 * whole hours since 1970, so there is no drift.
 */
export async function scheduleSales(options: SchedulerOptions, nowMs: number): Promise<void> {
  const thisHour = nowMs - (nowMs % HOUR_MS);
  for (const startsAtMs of [thisHour, thisHour + HOUR_MS]) {
    const sale = {
      startsAtMs,
      endsAtMs: startsAtMs + HOUR_MS,
      total: options.items,
      userLimit: options.userLimit,
    };
    const id = await createSale(options.postgres, { ...sale, hourly: true });
    if (id)
      options.log.info({ sale: id, starts_at: new Date(startsAtMs), items: sale.total }, 'sale scheduled');
  }
}
