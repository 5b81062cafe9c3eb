import type { Log } from '../../log.ts';
import { type LiveSale, stateOf } from '../../sale.ts';
import { Unavailable } from '../../store/errors.ts';
import type { Postgres } from '../../store/postgres.ts';
import { rebuildSale } from '../../store/rebuild.ts';
import type { Redis } from '../../store/redis.ts';
import { isSellable, readLiveSales, retireSale } from '../../store/sales.ts';
import { reportContradiction } from './contradiction.ts';

/**
 * A sale's keys stay for this long after its end: late posts find their receipts without Postgres, and the
 * sweeper has time for what is left in the outbox.
 */
export const LINGER_MS = 60_000;

export interface KeeperOptions {
  readonly redis: Redis;
  readonly postgres: Postgres;
  readonly log: Log;
  /** Called after each rebuild and first load. */
  readonly onRebuilt?: () => void;
}

/**
 * Keeps Redis as Postgres says: rebuilds every sale that Redis does not hold whole and open, and retires those
 * that are over. Only the leader does this. Calls `publish` with the sales and their epochs after each change, so that
 * an open sale need not wait for the others.
 */
export async function keepSales(
  options: KeeperOptions,
  publish: (sales: readonly LiveSale[]) => void,
): Promise<void> {
  const sales = new Map((await readLiveSales(options.postgres)).map((sale) => [sale.id, sale]));
  publish([...sales.values()]);
  for (const sale of byUrgency([...sales.values()], Date.now())) {
    try {
      const left = await keepSale(options, sale);
      if (left) sales.set(sale.id, left);
      else sales.delete(sale.id);
      if (left !== sale) publish([...sales.values()]);
    } catch (error) {
      // One broken sale must not delay the others.
      if (!(error instanceof Unavailable)) {
        options.log.warn({ sale: sale.id, err: error }, 'a sale could not be kept');
      }
    }
  }
}

/** Open sales first, then those to come, then those that are over. */
function byUrgency(sales: readonly LiveSale[], nowMs: number): LiveSale[] {
  const order = ['active', 'scheduled', 'ended'];
  const rank = (sale: LiveSale) => order.indexOf(stateOf(sale, nowMs));
  return [...sales].sort((a, b) => rank(a) - rank(b));
}

/** Returns the sale as it is now, or undefined when it is over and gone. */
async function keepSale(options: KeeperOptions, sale: LiveSale): Promise<LiveSale | undefined> {
  const { redis, postgres, log } = options;
  if (Date.now() >= sale.endsAtMs + LINGER_MS && (await retireSale(redis, postgres, sale.id, LINGER_MS))) {
    log.info({ sale: sale.id }, 'sale retired');
    return undefined;
  }
  return (await isSellable(redis, sale)) ? sale : await rebuild(options, sale);
}

async function rebuild(
  { redis, postgres, log, onRebuilt }: KeeperOptions,
  sale: LiveSale,
): Promise<LiveSale> {
  const begin = Date.now();
  const epoch = await rebuildSale(redis, postgres, sale.id, reportContradiction(log));
  if (epoch === undefined) return sale;
  onRebuilt?.();
  log.info({ sale: sale.id, epoch, ms: Date.now() - begin }, epoch === 1 ? 'sale loaded' : 'sale rebuilt');
  return { ...sale, epoch };
}
