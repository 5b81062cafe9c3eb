import { AggregatorRegistry, type MetricObjectWithValues, type MetricValue } from 'prom-client';
import type { MetricJson } from '../messages.ts';

/** Many processes' metrics as one, each name added up as its aggregator says. */
export async function addUp(parts: readonly (readonly MetricJson[])[]): Promise<MetricJson[]> {
  const sums = await AggregatorRegistry.aggregate(parts as object[]).getMetricsAsJSON();
  return fromProm(sums);
}

/** The same as Prometheus text. */
export async function toText(metrics: readonly MetricJson[]): Promise<string> {
  return AggregatorRegistry.aggregate([metrics] as object[]).metrics();
}

/** Finite and to the microsecond, so that sums do not depend on their order (see HistogramOptions.unitsPer). */
export function fromProm(metrics: readonly MetricObjectWithValues<MetricValue<string>>[]): MetricJson[] {
  return metrics.map(({ name, help, type, aggregator, values }) => ({
    name,
    help,
    type: String(type),
    aggregator,
    values: (values as unknown as MetricJson['values'])
      .filter(({ value }) => Number.isFinite(value))
      .map(({ metricName, labels, value }) => ({
        ...(metricName !== undefined && { metricName }),
        labels,
        value: Math.round(value * 1e6) / 1e6,
      })),
  }));
}
