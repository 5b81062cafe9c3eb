import { formatTime } from '../http/time.ts';
import { activeOf, isOpen, type LiveSale } from '../sale.ts';
import type { Shard } from '../shard/shard.ts';
import type { Batcher } from '../store/batcher.ts';
import { createCheckouts } from '../store/checkouts.ts';
import type { Postgres } from '../store/postgres.ts';
import { createPurchases, type PurchaseResult } from '../store/purchases.ts';
import type { Redis } from '../store/redis.ts';
import { createHeld } from './held.ts';
import { createSaleQueue, type SaleQueue } from './sale-queue.ts';
import { createShedder, type Shedder } from './shedding.ts';
import type { OpenSale } from './verdict.ts';

/**
 * For crowds far beyond the peak. With 200 ms a 2-core machine, which also ran the load, sold 15–35 % less and was no
 * faster (docs/bounds.md): on a busy machine a few hundred milliseconds are no lasting queue.
 */
export const AGE_LIMITS = {
  checkout: { targetMs: 500, patienceMs: 500 },
  purchase: { targetMs: 500, patienceMs: 500 },
};

export interface WorkerSale extends OpenSale {
  facts: LiveSale;
  /** Its times, as answers write them. */
  startsAt: string;
  endsAt: string;
  queue?: SaleQueue;
  readonly purchases: Batcher<string, PurchaseResult>;
  readonly shed: Shedder;
  /** How many of its units are held for payments, half a second ago at most. */
  readonly held: () => Promise<number>;
}

/** The sales that a worker knows, as the primary last told it. */
export interface LiveSales {
  update(sales: readonly LiveSale[]): void;
  /** The sale of that id; without an id the one that is meant at `atMs` (now). */
  find(saleId: string | undefined, atMs?: number): WorkerSale | undefined;
  /** All of them. */
  all(): WorkerSale[];
  /** Those that are open now. */
  open(): WorkerSale[];
}

export interface LiveSalesDeps {
  /** Whether hourly sales are made here: see `activeOf`. */
  readonly hourlySales: boolean;
  readonly redis: Redis;
  readonly postgres: Postgres;
  /** Connections for reading. */
  readonly readers: Postgres;
  readonly shard: Pick<Shard, 'openSale' | 'closeSale'>;
  readonly onError: (error: unknown) => void;
  readonly onBatch?: ((batch: 'checkout' | 'purchase', size: number) => void) | undefined;
}

/** What the primary tells of a sale, and its times as answers write them. */
const shown = (facts: LiveSale) => ({
  facts,
  startsAt: formatTime(facts.startsAtMs),
  endsAt: formatTime(facts.endsAtMs),
});

export function createLiveSales(deps: LiveSalesDeps): LiveSales {
  const { hourlySales, redis, postgres, readers, shard, onError, onBatch } = deps;
  let told: readonly LiveSale[] = [];
  let byId = new Map<string, WorkerSale>();

  const add = (facts: LiveSale): WorkerSale => {
    const shed = createShedder(AGE_LIMITS);
    const sale: WorkerSale = {
      shed,
      ...shown(facts),
      held: createHeld(readers, () => sale.facts),
      checkouts: shed.checkouts(
        createCheckouts(redis, () => sale.facts, onBatch && ((size) => onBatch('checkout', size))),
      ),
      purchases: shed.purchases(
        createPurchases({
          redis,
          postgres,
          sale: () => sale.facts,
          onError,
          onBatch: onBatch && ((size) => onBatch('purchase', size)),
        }),
      ),
    };
    return sale;
  };
  const queueOf = (sale: WorkerSale) =>
    createSaleQueue({ redis, postgres, sale: () => sale.facts, takeShed: sale.shed.takeRefused });

  return {
    update(sales) {
      const next = new Map<string, WorkerSale>();
      for (const facts of sales) {
        const known = byId.get(facts.id);
        const sale = known ? Object.assign(known, shown(facts)) : add(facts);
        if (facts.queue) sale.queue ??= queueOf(sale);
        next.set(facts.id, sale);
        shard.openSale(facts.id, facts.items ?? facts.total, facts.epoch);
      }
      for (const id of byId.keys()) if (!next.has(id)) shard.closeSale(id);
      told = sales;
      byId = next;
    },
    find(saleId, atMs = Date.now()) {
      const id = saleId ?? activeOf(told, atMs, hourlySales)?.id;
      return id === undefined ? undefined : byId.get(id);
    },
    all: () => [...byId.values()],
    open: () => [...byId.values()].filter(({ facts }) => isOpen(facts, Date.now())),
  };
}
