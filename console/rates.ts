import type { Figures } from './figures.ts';

/** What two messages of figures say together. */
export interface Rates {
  readonly checkouts: number;
  readonly purchases: number;
  /** Refusals per second, by their code. */
  readonly refusals: ReadonlyMap<string, number>;
  /** Seconds within which half, and 99 of 100, were answered; undefined when none was. */
  readonly checkoutTimes: Quantiles | undefined;
  readonly purchaseTimes: Quantiles | undefined;
}

export interface Quantiles {
  readonly p50: number;
  readonly p99: number;
}

/** The value of a metric, over all its labels; undefined when there is none. */
export function metric(
  { samples }: Figures,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const found = samples.filter(
    (each) =>
      each.name === name && Object.entries(labels).every(([key, value]) => each.labels[key] === value),
  );
  return found.length === 0 ? undefined : found.reduce((sum, { value }) => sum + value, 0);
}

export function ratesOf(before: Figures, now: Figures): Rates {
  const seconds = Math.max(0.2, (now.at - before.at) / 1_000);
  // A counter that is smaller than before belongs to a service that was started anew.
  const perSecond = (name: string, labels?: Record<string, string>) =>
    Math.max(0, (metric(now, name, labels) ?? 0) - (metric(before, name, labels) ?? 0)) / seconds;
  const refusals = new Map<string, number>();
  for (const { name, labels } of now.samples) {
    if (name !== 'checkout_failure_total' && name !== 'purchase_failure_total') continue;
    const { reason = '' } = labels;
    const rate = perSecond(name, { reason });
    if (rate > 0) refusals.set(reason, (refusals.get(reason) ?? 0) + rate);
  }
  return {
    checkouts: perSecond('checkout_attempts_total'),
    purchases: perSecond('purchase_attempts_total'),
    refusals: new Map([...refusals].sort(([, a], [, b]) => b - a)),
    checkoutTimes: quantilesOf(before.durations['/checkout'], now.durations['/checkout']),
    purchaseTimes: quantilesOf(before.durations['/purchase'], now.durations['/purchase']),
  };
}

/** From cumulative buckets, as Prometheus' histogram_quantile does it: evenly within a bucket. */
export function quantilesOf(
  before: Readonly<Record<string, number>> = {},
  now: Readonly<Record<string, number>> = {},
): Quantiles | undefined {
  const counts = Object.entries(now)
    .map(([le, count]) => ({
      le: le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le),
      count: count - (before[le] ?? 0),
    }))
    .sort((a, b) => a.le - b.le);
  const total = counts.at(-1)?.count ?? 0;
  if (total <= 0) return undefined;
  const at = (share: number): number => {
    const rank = share * total;
    const i = counts.findIndex(({ count }) => count >= rank);
    const [lower, upper] = [counts[i - 1] ?? { le: 0, count: 0 }, counts[i] ?? { le: 0, count: 0 }];
    if (upper.le === Number.POSITIVE_INFINITY) return lower.le;
    return lower.le + ((upper.le - lower.le) * (rank - lower.count)) / Math.max(1, upper.count - lower.count);
  };
  return { p50: at(0.5), p99: at(0.99) };
}
