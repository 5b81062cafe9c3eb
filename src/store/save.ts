import type { InEpoch, OnContradiction } from './commit.ts';
import { doubtSale } from './decide.ts';
import { fenceOf } from './fence.ts';
import { findLostReturns } from './lost-returns.ts';
import type { Postgres } from './postgres.ts';
import type { Redis } from './redis.ts';
import { salvageDecisions } from './salvage.ts';

/**
 * Compares what Redis holds of a live sale with a Postgres that may have come back older, and commits the decisions that it has not.
 * Returns how many Redis alone knew; 'doubted' when returns are lost: only behind a shut gate can they be noted, so the rebuild saves all
 * of it; undefined when the gate shows another epoch. Throws as `Redis.run` and `Postgres.query` do.
 */
export async function saveSale(
  redis: Redis,
  postgres: Postgres,
  sale: InEpoch,
  onContradiction: OnContradiction,
): Promise<number | 'doubted' | undefined> {
  const fence = fenceOf(sale.epoch);
  const lost = await findLostReturns(redis, postgres, sale.id, fence);
  if (lost === undefined) return undefined;
  if (lost.length === 0) return salvageDecisions(redis, postgres, sale, fence, onContradiction);
  await doubtSale(redis, sale);
  return 'doubted';
}
