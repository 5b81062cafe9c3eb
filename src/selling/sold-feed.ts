import type { Shard } from '../shard/shard.ts';
import { SOLD_CHANNEL } from '../store/keys.ts';
import type { Redis } from '../store/redis.ts';
import { parseSoldEvent, readSoldCounts, scanSold } from '../store/sold.ts';

/**
 * How soon a gap in the events is filled; until then some hopeless requests go on to Redis, and some items that are back are refused.
 * An event behind which nothing comes is missed at the second look, so an item that came back is for sale everywhere within a second.
 */
const CHECK_MS = 250;

export interface SoldFeedDeps {
  readonly redis: Redis;
  readonly shard: Shard;
  /** The sales whose sold items must be known completely. */
  readonly saleIds: () => readonly string[];
  /** Those that sell now: of the others nothing comes back that anybody could miss. */
  readonly openIds: () => readonly string[];
  readonly onError: (error: unknown) => void;
  /** Called with the items that an event names. */
  readonly onChange?: (saleId: string, itemIds: readonly string[]) => void;
}

/** Feeds the shard: the sold channel as it comes, and a snapshot of Redis whenever something may have been missed. */
export function startSoldFeed(deps: SoldFeedDeps): { stop(): void } {
  const { redis, shard, saleIds, openIds, onError, onChange } = deps;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  const hear = (message: string) => {
    const event = parseSoldEvent(message);
    if (event === undefined) return;
    shard.hear(event);
    onChange?.(event.saleId, [...event.itemIds, ...event.backIds]);
  };
  const subscribe = () => {
    redis
      .subscribe(SOLD_CHANNEL, hear, (saleId) => shard.doubt(saleId), saleIds)
      .catch((error) => {
        if (stopped) return;
        onError(error);
        setTimeout(subscribe, CHECK_MS).unref();
      });
  };
  subscribe();

  const look = async (saleId: string) => {
    const counts = await readSoldCounts(redis, saleId);
    if (counts) shard.look(saleId, counts.epoch, counts.version, counts.gone);
  };
  const fillGaps = async () => {
    // Where a sale's Redis is away, that of others may not be: the next check tries again, and until then the shard knows less of it.
    await Promise.all(openIds().map((saleId) => look(saleId).catch(() => {})));
    for (const saleId of saleIds()) {
      if (stopped || !shard.needsSnapshot(saleId)) continue;
      await takeSnapshot(redis, shard, saleId).catch(() => {});
    }
  };
  const check = () => {
    fillGaps().finally(() => {
      if (!stopped) timer = setTimeout(check, CHECK_MS);
    });
  };
  check();

  return {
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

/** Reads the version before the items, so that a sale in between does not count as known. */
async function takeSnapshot(redis: Redis, shard: Shard, saleId: string): Promise<void> {
  const state = await readSoldCounts(redis, saleId);
  if (state === undefined) return;
  const snapshot = shard.beginSnapshot(saleId, state.epoch, state.version, state.gone);
  // Skip the scan of a new sale: a million items take Redis and each worker seconds.
  if (state.gone > 0) for await (const itemIds of scanSold(redis, saleId)) snapshot.add(itemIds);
  snapshot.done();
}
