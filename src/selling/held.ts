import type { LiveSale } from '../sale.ts';
import { countHeld } from '../store/payments.ts';
import type { Postgres } from '../store/postgres.ts';

/** How old a count may be: everybody polls sales, and nobody notices half a second. */
const FRESH_MS = 500;

/**
 * Counts the units of a live sale that are held for payments, once in a while. Without a payment window none are, and nobody is
 * asked. While Postgres is away, the last count stands.
 */
export function createHeld(postgres: Postgres, sale: () => LiveSale): () => Promise<number> {
  let held = 0;
  let countedMs = Number.NEGATIVE_INFINITY;
  let counting: Promise<number> | undefined;
  const count = async () => {
    try {
      held = await countHeld(postgres, sale().id);
      countedMs = performance.now();
    } catch {
      // The breaker has logged it.
    }
    counting = undefined;
    return held;
  };
  return async () => {
    if (sale().paymentSeconds === undefined || performance.now() - countedMs < FRESH_MS) return held;
    counting ??= count();
    return counting;
  };
}
