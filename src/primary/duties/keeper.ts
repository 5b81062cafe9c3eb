import type { Log } from '../../log.ts';
import { type LiveSale, stateOf } from '../../sale.ts';
import type { Postgres } from '../../store/postgres.ts';
import { rebuildSale } from '../../store/rebuild.ts';
import type { Redis } from '../../store/redis.ts';
import { isSellable, readLiveSales } from '../../store/sales.ts';
import { carrySale } from '../../store/switch.ts';
import { reportContradiction } from './contradiction.ts';
import { forEachSale } from './each-sale.ts';
import type { OnSalvaged } from './salvaged.ts';

/**
 * The first rebuild of a sale is done at once. One that is needed again so soon after it waits, twice as long each time:
 * a Redis that is never right must not keep Postgres busy.
 */
const AGAIN_MS = { from: 200, to: 5_000 };
/** A sale that was whole for this long has recovered. */
const CALM_MS = 60_000;

export interface KeeperOptions {
  readonly redis: Redis;
  readonly postgres: Postgres;
  readonly log: Log;
  /** Sales that are being retired just now: their keys are missing on purpose. */
  readonly isRetiring: (saleId: string) => boolean;
  /** Hears of each rebuild and first load that went through. */
  readonly onRebuilt?: () => void;
  /** Hears of each decision that contradicts Postgres, and of each gate that was shut because of one. */
  readonly onContradiction: () => void;
  readonly onSalvaged: OnSalvaged;
}

/** Hears the sales with the epochs they have, after each change: an open sale need not wait for the others. */
export type Publish = (sales: readonly LiveSale[]) => void;

/**
 * A function that keeps Redis as Postgres says: it rebuilds every sale that Redis does not hold whole and open for
 * Postgres' own epoch. Only the leader keeps.
 */
export function createKeeper(options: KeeperOptions): (publish: Publish) => Promise<void> {
  const backOff = createBackOff();
  const highest = createHighest();
  return async (publish) => {
    const sales = new Map((await readLiveSales(options.postgres)).map((sale) => [sale.id, sale]));
    publish([...sales.values()]);
    for (const sale of sales.values()) highest.of(sale);
    const urgent = byUrgency([...sales.values()], Date.now());
    await forEachSale(options.log, urgent, 'a sale could not be kept', async (sale) => {
      if (options.isRetiring(sale.id)) return;
      if (await isSellable(options.redis, sale)) {
        await carrySale(options.redis, options.postgres, sale);
        return;
      }
      if (!backOff.mayTry(sale.id)) return;
      const kept = await rebuild(options, sale, highest.of(sale));
      highest.of(kept);
      sales.set(sale.id, kept);
      publish([...sales.values()]);
    });
    backOff.forgetAllBut(sales);
    highest.forgetAllBut(sales);
  };
}

/** Open sales first, then those to come, then those that are over. */
function byUrgency(sales: readonly LiveSale[], nowMs: number): LiveSale[] {
  const order = ['active', 'paused', 'scheduled', 'ended', 'cancelled'];
  const rank = (sale: LiveSale) => order.indexOf(stateOf(sale, nowMs));
  return [...sales].sort((a, b) => rank(a) - rank(b));
}

/** When each sale may be rebuilt again. */
function createBackOff() {
  const tries = new Map<string, { readonly atMs: number; readonly waitMs: number }>();
  return {
    /** Whether it may be tried now; if so, this counts as a try. */
    mayTry(saleId: string): boolean {
      const nowMs = performance.now();
      const last = tries.get(saleId);
      if (last !== undefined && nowMs < last.atMs + last.waitMs) return false;
      const isCalm = last === undefined || nowMs > last.atMs + CALM_MS;
      const waitMs = isCalm ? AGAIN_MS.from : Math.min(last.waitMs * 2, AGAIN_MS.to);
      tries.set(saleId, { atMs: nowMs, waitMs });
      return true;
    },
    forgetAllBut(sales: ReadonlyMap<string, unknown>): void {
      for (const id of tries.keys()) if (!sales.has(id)) tries.delete(id);
    },
  };
}

/** The highest epoch that each sale was seen in: both stores may come back older, and no epoch may come twice. */
function createHighest() {
  const epochs = new Map<string, number>();
  return {
    /** Notes the sale's epoch, and returns the highest one so far. */
    of({ id, epoch }: LiveSale): number {
      const highest = Math.max(epoch, epochs.get(id) ?? 0);
      epochs.set(id, highest);
      return highest;
    },
    forgetAllBut(sales: ReadonlyMap<string, unknown>): void {
      for (const id of epochs.keys()) if (!sales.has(id)) epochs.delete(id);
    },
  };
}

async function rebuild(options: KeeperOptions, sale: LiveSale, above: number): Promise<LiveSale> {
  const { redis, postgres, log, onRebuilt, onContradiction, onSalvaged } = options;
  const begin = performance.now();
  let contradictions = 0;
  const report = reportContradiction(log, () => {
    contradictions++;
    onContradiction();
  });
  const rebuilt = await rebuildSale(redis, postgres, sale.id, report, above);
  if (rebuilt === undefined) return sale;
  const { epoch, doubted, salvaged, returns } = rebuilt;
  onSalvaged(sale.id, salvaged);
  if (returns > 0) log.error({ sale: sale.id, returns }, 'returns that only Redis knew were noted');
  if (doubted && contradictions === 0) onContradiction();
  onRebuilt?.();
  const ms = Math.round(performance.now() - begin);
  log.info({ sale: sale.id, epoch, ms, doubted }, epoch === 1 ? 'sale loaded' : 'sale rebuilt');
  return { ...sale, epoch };
}
