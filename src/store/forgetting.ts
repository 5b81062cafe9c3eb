import { forgetEntries } from './decide.ts';
import type { Redis } from './redis.ts';

/**
 * One script call per batch would cost Redis and the worker as much as a small batch of purchases. Far below the
 * age from which the sweeper commits an entry.
 */
const GATHER_MS = 100;

/** Deletes the outbox entries of one sale, a while after they were committed and many at a time. */
export interface Forgetting {
  /** An entry whose decisions are committed; `fence` is the one it was decided under. */
  add(fence: string, entryId: string): void;
}

/** The sweeper deletes the entries of a worker that dies or exits before it has. */
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
