import { keysOf } from './keys.ts';
import type { Redis } from './redis.ts';
import { scanHash } from './scan.ts';

/** What `lua/purchase.lua` and `lua/shelve.lua` publish after each batch in which items ran out or came back. */
export interface SoldEvent {
  readonly saleId: string;
  readonly epoch: number;
  /** How often an item has run out or come back, up to and with this event. */
  readonly version: number;
  /** Items of which nothing is left after this event. */
  readonly gone: number;
  /** Those that ran out with it. */
  readonly itemIds: readonly string[];
  /** Those that came back with it. */
  readonly backIds: readonly string[];
}

/** Reads a message of the sold channel; undefined for anything else that somebody may have published. */
export function parseSoldEvent(message: string): SoldEvent | undefined {
  const [saleId = '', epoch, version, gone, ...words] = message.split(' ');
  const counts = { epoch: Number(epoch), version: Number(version), gone: Number(gone) };
  if (!Object.values(counts).every(Number.isInteger) || words.length === 0) return undefined;
  const isBack = (word: string) => word.startsWith('+');
  const backIds = words.filter(isBack).map((word) => word.slice(1));
  const itemIds = backIds.length === 0 ? words : words.filter((word) => !isBack(word));
  return { saleId, ...counts, itemIds, backIds };
}

/**
 * The epoch of a sale and the counts that its events bear; undefined while Redis does not have it. They are written when its gate
 * opens, so that the items are there too.
 */
export async function readSoldCounts(
  redis: Redis,
  saleId: string,
): Promise<Pick<SoldEvent, 'epoch' | 'version' | 'gone'> | undefined> {
  const words = ['HMGET', keysOf(saleId).sale, 'epoch', 'changes', 'gone'];
  const [epoch, version, gone] = ((await redis.command(...words)) as (string | null)[]).map(
    (count) => count && Number(count),
  );
  return epoch && isCount(version) && isCount(gone) ? { epoch, version, gone } : undefined;
}

const isCount = (value: unknown): value is number => typeof value === 'number';

/** Every item of which nothing is left when this begins, in parts, and perhaps some that are sold meanwhile. */
export async function* scanSold(redis: Redis, saleId: string): AsyncGenerator<string[]> {
  for await (const part of scanHash(redis, keysOf(saleId).items))
    yield [...part].flatMap(([item, left]) => (left === '0' ? item : []));
}
