import { forgetEntries } from './decide.ts';
import type { Redis } from './redis.ts';

/**
 * A script call per batch of purchases would cost Redis and the worker as much as a small batch itself. Far below the
 * age at which the sweeper takes an entry for left behind.
 */
const GATHER_MS = 100;

/** Deletes the outbox entries of one sale, a while after they were committed and many at a time. */
export interface Forgetting {
  /** An entry whose decisions are committed; `fence` is the one it was decided under. */
  add(fence: string, entryId: string): void;
}

/** Entries that a worker takes with it, when it dies or leaves, are the sweeper's. */
export function createForgetting(
  redis: Redis,
  saleId: () => string,
  onError: (error: unknown) => void,
  gatherMs = GATHER_MS,
): Forgetting {
  let entryIds: string[] = [];
  let shown = '';
  let timer: NodeJS.Timeout | undefined;

  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    const ids = entryIds;
    entryIds = [];
    if (ids.length > 0) forgetEntries(redis, saleId(), shown, ids).catch(onError);
  };

  return {
    add(fence, entryId) {
      if (fence !== shown) flush();
      shown = fence;
      entryIds.push(entryId);
      if (gatherMs === 0) flush();
      else timer ??= setTimeout(flush, gatherMs);
    },
  };
}
