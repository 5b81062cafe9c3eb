import type { Log } from '../../log.ts';
import { type LiveSale, stateOf } from '../../sale.ts';
import { tellStages } from '../../store/feed/keep.ts';
import type { Postgres } from '../../store/postgres.ts';
import type { Redis } from '../../store/redis.ts';
import { countSold } from '../../store/sales.ts';
import type { Work } from '../every.ts';

export interface TellerOptions {
  readonly redis: Redis;
  readonly postgres: Postgres;
  readonly log: Log;
  readonly sales: () => readonly LiveSale[];
}

/** Tells the feed when a sale opens, is sold out, and ends. Two leaders at a time tell it once. */
export function createTeller({ redis, postgres, log, sales }: TellerOptions): Work {
  const soldOut = new Set<string>();

  /** Redis knows at once, Postgres only by counting: it is asked to when Redis says so. */
  const isSoldOut = async (sale: LiveSale): Promise<boolean> => {
    if (stateOf(sale, Date.now()) === 'scheduled' || soldOut.has(sale.id)) return false;
    return (await countSold(redis, sale.id).catch(() => undefined)) === sale.total;
  };

  return async () => {
    const live = sales();
    for (const id of soldOut) if (!live.some((sale) => sale.id === id)) soldOut.delete(id);
    const candidates: string[] = [];
    for (const sale of live) if (await isSoldOut(sale)) candidates.push(sale.id);
    for (const { type, saleId } of await tellStages(postgres, candidates)) {
      if (type === 'sale.sold_out') soldOut.add(saleId);
      log.debug({ sale: saleId, event: type }, 'told');
    }
  };
}
