import type { Log } from '../../log.ts';
import type { LiveSale } from '../../sale.ts';
import { Unavailable } from '../../store/errors.ts';

/**
 * Does `work` for one sale after the other. One in trouble must not hold up the others: `trouble` is logged with its error, but
 * not that a store is away, which its breaker logs once. Returns whether all of it was done. Throws only when the signal has
 * ended the work.
 */
export async function forEachSale<S extends Pick<LiveSale, 'id'>>(
  log: Log,
  sales: readonly S[],
  trouble: string,
  work: (sale: S) => Promise<void>,
  signal?: AbortSignal,
): Promise<boolean> {
  let isDone = true;
  for (const sale of sales) {
    try {
      await work(sale);
    } catch (err) {
      signal?.throwIfAborted();
      isDone = false;
      if (!(err instanceof Unavailable)) log.warn({ sale: sale.id, err }, trouble);
    }
  }
  return isDone;
}
