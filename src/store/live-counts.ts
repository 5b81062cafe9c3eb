import { keysOf } from './keys.ts';
import type { Redis } from './redis.ts';
import { scanHash } from './scan.ts';

/** Units sold in a sale, and what is left of some of its items. */
export interface LiveCounts {
  readonly sold: number;
  readonly left: ReadonlyMap<string, number>;
}

/** What Redis has now; undefined when it does not have the sale. Items that it does not know are left out. Throws as `Redis.command` does. */
export async function readLiveCounts(
  redis: Redis,
  saleId: string,
  itemIds: readonly string[],
): Promise<LiveCounts | undefined> {
  const keys = keysOf(saleId);
  const [sold, counts] = await Promise.all([
    redis.command('HGET', keys.sale, 'sold'),
    itemIds.length === 0 ? [] : redis.command('HMGET', keys.items, ...itemIds),
  ]);
  if (sold === null) return undefined;
  const left = new Map<string, number>();
  for (const [i, count] of (counts as (string | null)[]).entries())
    if (count !== null) left.set(itemIds[i] as string, Number(count));
  return { sold: Number(sold), left };
}

/** What is left of every item, in parts of some thousand; an empty part ends each round. Goes on for ever. Throws as `Redis.command` does. */
export async function* watchLeft(
  redis: Redis,
  saleId: string,
): AsyncGenerator<ReadonlyMap<string, string>, never> {
  for (;;) {
    yield* scanHash(redis, keysOf(saleId).items);
    yield NOTHING;
  }
}

const NOTHING: ReadonlyMap<string, string> = new Map();
