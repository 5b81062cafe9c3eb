import type { LiveSale } from '../sale.ts';
import { readLiveCounts, watchLeft } from '../store/live-counts.ts';
import type { Redis } from '../store/redis.ts';

/** Items of one message: 25 kB of JSON. What changed beyond it is told in the next ones. */
const TOLD_MAX = 500;
/** Items that wait to be told, 10 MB in a worker. Beyond it a change is not told: a buyer learns of it when he wants the item. */
const WAITING_MAX = 100_000;
/** What is left of the items of larger sales is not compared with Redis: a worker would keep 10 MB for each. */
const COMPARED_MAX = 100_000;

/** What changed in a sale since it was last asked. */
export interface Changes {
  /** Something changed about these items, as far as is known. */
  add(itemIds: readonly string[]): void;
  /** Units sold, and what is left of items that changed, `TOLD_MAX` at most; undefined when Redis does not have the sale. Throws as `Redis.command` does. */
  take(): Promise<{ readonly sold: number; readonly items: Readonly<Record<string, number>> } | undefined>;
}

/**
 * Hears of items that ran out, and compares a part of the sale with Redis each time, for what nobody publishes: units of an item that has
 * more, and what was missed. The first time all of it is read: what changed before is not told.
 */
export function createChanges(redis: Redis, sale: LiveSale): Changes {
  const isCompared = (sale.items ?? sale.total) <= COMPARED_MAX;
  const waiting = new Set<string>();
  /** What is left of each item, as far as it was read or told. */
  const known = new Map<string, number>();
  let parts: ReturnType<typeof watchLeft> | undefined;

  const compare = async () => {
    if (!isCompared) return;
    const isFirst = parts === undefined;
    parts ??= watchLeft(redis, sale.id);
    try {
      do {
        const { value: part } = await parts.next();
        for (const [itemId, left] of part) {
          if (isFirst) known.set(itemId, Number(left));
          else if (known.get(itemId) !== Number(left)) waiting.add(itemId);
        }
        if (part.size === 0) break;
      } while (isFirst);
    } catch (error) {
      // A generator that threw is over: begin anew.
      parts = undefined;
      throw error;
    }
  };

  return {
    add(itemIds) {
      for (const itemId of itemIds) if (waiting.size < WAITING_MAX) waiting.add(itemId);
    },
    async take() {
      await compare();
      const itemIds = [...waiting].slice(0, TOLD_MAX);
      const counts = await readLiveCounts(redis, sale.id, itemIds);
      if (counts === undefined) return undefined;
      for (const itemId of itemIds) waiting.delete(itemId);
      const items: Record<string, number> = {};
      for (const [itemId, left] of counts.left) {
        if (known.get(itemId) === left) continue;
        if (isCompared) known.set(itemId, left);
        items[itemId] = left;
      }
      // Everything is gone: the counts say so.
      if (counts.sold >= sale.total) waiting.clear();
      return { sold: counts.sold, items };
    },
  };
}
