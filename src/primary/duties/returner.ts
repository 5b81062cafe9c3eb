import type { Log } from '../../log.ts';
import type { LiveSale } from '../../sale.ts';
import type { Postgres } from '../../store/postgres.ts';
import type { Redis } from '../../store/redis.ts';
import { carryReturns, readLastReturns } from '../../store/returns.ts';
import { forEachSale } from './each-sale.ts';

export interface ReturnerOptions {
  readonly redis: Redis;
  readonly postgres: Postgres;
  readonly log: Log;
  readonly sales: () => readonly LiveSale[];
}

/** Carries to Redis the returns of live sales that whoever has made them could not. */
export async function shelve({ redis, postgres, log, sales }: ReturnerOptions): Promise<void> {
  const last = await readLastReturns(postgres);
  const returned = sales().filter(({ id }) => last.has(id));
  await forEachSale(log, returned, 'returns could not be carried on', async (sale) => {
    const carried = await carryReturns(redis, postgres, sale, last.get(sale.id) as number);
    if (carried > 0)
      log.warn({ sale: sale.id, returns: carried }, 'returns of a lost worker are back on the shelf');
  });
}
