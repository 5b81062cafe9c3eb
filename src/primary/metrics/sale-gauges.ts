import type { MetricJson } from '../../messages.ts';
import { gauge } from '../../metrics/series.ts';
import { activeOf, type LiveSale } from '../../sale.ts';
import { type Backlog, readBacklog } from '../../store/backlog.ts';
import { countHeld } from '../../store/payments.ts';
import type { Postgres } from '../../store/postgres.ts';
import { type QueueState, readQueueState } from '../../store/queue/line.ts';
import type { Redis } from '../../store/redis.ts';
import { countSold, isSellable } from '../../store/sales.ts';
import { inTime } from './in-time.ts';
import { queueGauges } from './queue-gauges.ts';

/** The figures of one sale in Redis; absent without an answer. */
interface State {
  readonly isOpen?: boolean;
  readonly sold?: number | undefined;
  readonly held?: number | undefined;
  readonly backlog?: Backlog;
  readonly queue?: QueueState | undefined;
}

/** Reads the gauges of each live sale. While Redis is away there are no samples, rather than old ones. */
export async function readSaleGauges(
  redis: Redis,
  postgres: Postgres,
  sales: readonly LiveSale[],
  hourlySales: boolean,
): Promise<MetricJson[]> {
  const nowMs = Date.now();
  const states = await inTime(Promise.all(sales.map((sale) => readState(redis, postgres, sale))), []);
  /** One value per sale that has one. */
  const each = (read: (sale: LiveSale, state: State | undefined) => number | undefined) =>
    sales.flatMap((sale, i) => {
      const value = read(sale, states[i]);
      return value === undefined ? [] : [[value, { sale: sale.id }] as const];
    });
  const active = activeOf(sales, nowMs, hourlySales);
  const activeSold = active && states[sales.indexOf(active)]?.sold;
  const hourly = sales.filter((sale) => sale.hourly && sale.endsAtMs > nowMs).length;
  return [
    gauge(
      'sale_items_total',
      'Items of the sale that is meant without sale_id',
      active ? [[active.total]] : [],
    ),
    gauge('sale_items_sold', 'Items sold in it', activeSold === undefined ? [] : [[activeSold]]),
    gauge(
      'flashsale_sale_items',
      'Items of each live sale',
      each((sale) => sale.total),
    ),
    gauge(
      'flashsale_sale_items_sold',
      'Items sold in each',
      each((_, state) => state?.sold),
    ),
    gauge(
      'flashsale_sale_items_held',
      'Of these, held for payments; of sales with a payment window',
      each((_, state) => state?.held),
    ),
    gauge('flashsale_hourly_sales', 'Hourly sales that are open or to come', hourlySales ? [[hourly]] : []),
    gauge(
      'flashsale_sale_starts_timestamp_seconds',
      'The start of each',
      each((sale) => sale.startsAtMs / 1_000),
    ),
    gauge(
      'flashsale_sale_ends_timestamp_seconds',
      'Its end',
      each((sale) => sale.endsAtMs / 1_000),
    ),
    gauge(
      'flashsale_gate_open',
      '1: whole in Redis and open',
      each((_, state) => (state?.isOpen ? 1 : 0)),
    ),
    gauge(
      'flashsale_outbox_entries',
      'Batches not known to be committed',
      each((_, state) => state?.backlog?.entries),
    ),
    gauge(
      'flashsale_outbox_oldest_age_seconds',
      'Age of the oldest of them',
      each((_, state) => state?.backlog && state.backlog.oldestMs / 1_000),
    ),
    ...queueGauges(each),
  ];
}

async function readState(redis: Redis, postgres: Postgres, sale: LiveSale): Promise<State> {
  try {
    const [isOpen, sold, backlog, queue, held] = await Promise.all([
      isSellable(redis, sale),
      countSold(redis, sale.id),
      readBacklog(redis, sale.id),
      sale.queue && readQueueState(redis, sale.id),
      sale.paymentSeconds === undefined ? undefined : countHeld(postgres, sale.id).catch(() => undefined),
    ]);
    return { isOpen, sold, backlog, queue, held };
  } catch {
    return {};
  }
}
