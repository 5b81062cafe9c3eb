import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { LiveSale } from '../messages.ts';
import type { Redis } from '../store/redis.ts';
import { countSold } from '../store/sales.ts';

export interface MetricsOptions {
  readonly redis: Redis;
  readonly sales: () => readonly LiveSale[];
}

/** The primary's metrics: what only it knows. */
export interface Metrics {
  /** Differences that the audit has found since the start. */
  readonly auditDifferences: Counter;
  /** Workers that died without being told to leave. */
  readonly workerDeaths: Counter;
  /** All of them as Prometheus text. */
  text(): Promise<string>;
}

export function createMetrics({ redis, sales }: MetricsOptions): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const total = new Gauge({
    name: 'sale_items_total',
    help: 'Items of a live sale',
    labelNames: ['sale'],
    registers,
  });
  const sold = new Gauge({
    name: 'sale_items_sold',
    help: 'Items sold in a live sale, as Redis decided',
    labelNames: ['sale'],
    registers,
  });
  return {
    auditDifferences: new Counter({
      name: 'audit_differences_total',
      help: 'Differences between Redis and Postgres that the audit found',
      registers,
    }),
    workerDeaths: new Counter({
      name: 'worker_deaths_total',
      help: 'Workers that died without being told to leave',
      registers,
    }),
    async text() {
      total.reset();
      sold.reset();
      for (const sale of sales()) {
        total.set({ sale: sale.id }, sale.total);
        // While Redis is away there is no figure rather than an old one.
        const count = await countSold(redis, sale.id).catch(() => undefined);
        if (count !== undefined) sold.set({ sale: sale.id }, count);
      }
      return registry.metrics();
    },
  };
}
