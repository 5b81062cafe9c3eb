import { collectDefaultMetrics, type Metric, Registry } from 'prom-client';
import type { MetricJson } from '../messages.ts';
import { fromProm } from './aggregate.ts';
import { gauge } from './series.ts';

/** The counters among prom-client's default metrics: they must outlive their process. */
const COUNTED = new Set([
  'process_cpu_user_seconds_total',
  'process_cpu_system_seconds_total',
  'process_cpu_seconds_total',
  'nodejs_gc_duration_seconds',
]);

/** An average over processes would hide the one that is stuck. */
const WORST = /^nodejs_eventloop_lag_(?!min)/;

/** The metrics of a process about itself, in two parts: counters and gauges. */
export interface ProcessMetrics {
  counted(): Promise<MetricJson[]>;
  /** Starts a new measurement of the event loop's delays. */
  gauges(): Promise<MetricJson[]>;
}

/** `name` is the process' label in the metrics of each: `primary`, `worker-0`, … */
export function watchProcess(name: string): ProcessMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const labels = { process: name };
  const read = async (metrics: readonly Metric[]) =>
    fromProm(await Promise.all(metrics.map((metric) => metric.get())));
  const all = registry.getMetricsAsArray() as unknown as (Metric & { readonly name: string })[];
  const counted = all.filter((metric) => COUNTED.has(metric.name));
  const others = all.filter((metric) => !COUNTED.has(metric.name));

  return {
    async counted() {
      const metrics = await read(counted);
      const cpu = metrics.find((metric) => metric.name === 'process_cpu_seconds_total');
      const own = {
        name: 'flashsale_process_cpu_seconds_total',
        help: 'CPU time of each process',
        type: 'counter',
        aggregator: 'sum' as const,
        values: cpu?.values.map(({ value }) => ({ value, labels })) ?? [],
      };
      return [...metrics, own];
    },
    async gauges() {
      const metrics = (await read(others)).map((metric) =>
        WORST.test(metric.name) ? { ...metric, aggregator: 'max' as const } : metric,
      );
      const of = (metric: string): [number, typeof labels][] =>
        metrics.find((each) => each.name === metric)?.values.map(({ value }) => [value, labels]) ?? [];
      return [
        ...metrics,
        gauge(
          'flashsale_process_resident_memory_bytes',
          'Resident memory of each process',
          of('process_resident_memory_bytes'),
        ),
        gauge(
          'flashsale_event_loop_delay_seconds',
          'Longest delay of the event loop of each process since the last scrape',
          of('nodejs_eventloop_lag_max_seconds'),
        ),
      ];
    },
  };
}
