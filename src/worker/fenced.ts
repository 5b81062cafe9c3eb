import type { Log } from '../log.ts';
import type { Fenced } from '../store/errors.ts';

/** While a gate is shut it refuses every batch: log one line per sale and interval. */
const AGAIN_MS = 1_000;

/** Counts fenced batches, and logs them now and then. */
export interface FencedCount {
  /** Every request of a batch gets the same error; count it once. */
  readonly heard: (error: Fenced) => void;
  readonly total: () => number;
}

export function createFencedCount(log: Log): FencedCount {
  const seen = new WeakSet<Fenced>();
  let total = 0;
  let [lastSale, lastMs] = ['', 0];
  return {
    heard(error) {
      if (seen.has(error)) return;
      seen.add(error);
      total++;
      const now = performance.now();
      if (error.saleId === lastSale && now - lastMs < AGAIN_MS) return;
      [lastSale, lastMs] = [error.saleId, now];
      log.warn({ sale: error.saleId, fenced_total: total }, 'fenced');
    },
    total: () => total,
  };
}
