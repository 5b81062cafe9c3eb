import { epochOfGate } from './fence.ts';
import { keysOf } from './keys.ts';
import type { Redis } from './redis.ts';
import { scanHash } from './scan.ts';

/** What `lua/purchase.lua` publishes after each batch that took the last unit of some items. */
export interface SoldEvent {
  readonly saleId: string;
  readonly epoch: number;
  /** Items of which nothing is left after this event. */
  readonly version: number;
  readonly itemIds: readonly string[];
}

/** Reads a message of the sold channel; undefined for anything else that somebody may have published. */
export function parseSoldEvent(message: string): SoldEvent | undefined {
  const [saleId = '', epoch, version, ...itemIds] = message.split(' ');
  const event = { saleId, epoch: Number(epoch), version: Number(version), itemIds };
  return Number.isInteger(event.epoch) && Number.isInteger(event.version) && itemIds.length > 0
    ? event
    : undefined;
}

/** The epoch and the number of sold-out items of a sale; undefined while its gate is shut. */
export async function readSoldVersion(
  redis: Redis,
  saleId: string,
): Promise<{ epoch: number; version: number } | undefined> {
  const keys = keysOf(saleId);
  const [gate, gone] = await Promise.all([
    redis.command('GET', keys.gate),
    redis.command('HGET', keys.sale, 'gone'),
  ]);
  const epoch = epochOfGate((gate as string | null) ?? '');
  return epoch === undefined || gone === null ? undefined : { epoch, version: Number(gone) };
}

/** Every item of which nothing is left when this begins, in parts, and perhaps some that are sold meanwhile. */
export async function* scanSold(redis: Redis, saleId: string): AsyncGenerator<string[]> {
  for await (const part of scanHash(redis, keysOf(saleId).items))
    yield [...part].flatMap(([item, left]) => (left === '0' ? item : []));
}
