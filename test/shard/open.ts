import { createShard, type ShardOptions } from '../../src/shard/shard.ts';
import { generatedIds } from './ids.ts';

export const SALE = 'S-3f9a1c22b7';
export const IDS = generatedIds(200);

/** A shard in slot 0 of two, with the sale open at epoch 1, and what it asked. */
export function openShard(options: Partial<ShardOptions> = {}) {
  const asked: string[] = [];
  const shard = createShard({
    slot: 0,
    slots: [0, 1],
    ask(_owner, _saleId, _epoch, _since, itemId) {
      asked.push(itemId);
      return undefined;
    },
    ...options,
  });
  shard.openSale(SALE, IDS.length, 1);
  const own = IDS.filter((itemId) => shard.ring.ownerOf(itemId) === 0);
  const foreign = IDS.filter((itemId) => shard.ring.ownerOf(itemId) === 1);
  return { shard, asked, own, foreign };
}
type Shard = ReturnType<typeof createShard>;

/** The shard hears that items ran out or came back, and that so many are gone since. */
export function hear(
  shard: Shard,
  epoch: number,
  version: number,
  itemIds: readonly string[],
  backIds: readonly string[] = [],
  gone = version,
) {
  shard.hear({ saleId: SALE, epoch, version, gone, itemIds, backIds });
}

/** A snapshot that finds these items sold. */
export function takeSnapshot(shard: Shard, version: number, sold: readonly string[]) {
  const snapshot = shard.beginSnapshot(SALE, 1, version, sold.length);
  snapshot.add(sold);
  snapshot.done();
}

export function complete(shard: Shard, version: number) {
  shard.beginSnapshot(SALE, 1, version, version).done();
}
