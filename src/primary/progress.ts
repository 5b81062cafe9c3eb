import { isOpen, type LiveSale } from '../sale.ts';
import type { Redis } from '../store/redis.ts';
import { countSold } from '../store/sales.ts';

/** How far a sale is, as Redis counts it. */
export interface Progress {
  readonly sale: LiveSale;
  readonly sold: number;
}

/** Reads how far the open sales are; one that Redis does not have, or cannot tell of, is left out. */
export async function readProgress(redis: Redis, sales: readonly LiveSale[]): Promise<Progress[]> {
  const open = sales.filter((sale) => isOpen(sale, Date.now()));
  const sold = await Promise.all(open.map((sale) => countSold(redis, sale.id).catch(() => undefined)));
  return open.flatMap((sale, i) => {
    const count = sold[i];
    return count === undefined ? [] : [{ sale, sold: count }];
  });
}
