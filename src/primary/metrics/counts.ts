import type { MetricJson } from '../../messages.ts';

/** Asked by machines, also while nothing happens. */
const PROBES = new Set(['/livez', '/readyz', '/metrics', '/health']);
const FAILURES = new Set(['checkout_failure_total', 'purchase_failure_total']);
const DURATIONS = 'http_request_duration_seconds';

/** What a worker's report says of its requests, in few numbers that only grow. Probes are in none of them. */
export interface Counts {
  requests: number;
  /** Checkouts and purchases that were refused or failed, by their code. */
  readonly refused: Map<string, number>;
  /** Requests that took no longer than the bound, by bound; in seconds. */
  readonly within: Map<number, number>;
}

export const noCounts = (): Counts => ({ requests: 0, refused: new Map(), within: new Map() });

/** Reads what a worker has counted since its start. */
export function readCounts(counted: readonly MetricJson[]): Counts {
  const counts = noCounts();
  for (const { name, values } of counted) {
    if (FAILURES.has(name))
      for (const { labels, value } of values) grow(counts.refused, String(labels.reason), value);
    if (name !== DURATIONS) continue;
    for (const { labels, value, metricName } of values) {
      if (PROBES.has(String(labels.handler))) continue;
      if (metricName === `${DURATIONS}_count`) counts.requests += value;
      else if (metricName === `${DURATIONS}_bucket` && labels.le !== '+Inf')
        grow(counts.within, Number(labels.le), value);
    }
  }
  return counts;
}

/** Adds `more` to `into`, but for what was in `before`. */
export function addCounts(into: Counts, more: Counts, before = noCounts()): void {
  into.requests += more.requests - before.requests;
  for (const [reason, n] of more.refused) grow(into.refused, reason, n - (before.refused.get(reason) ?? 0));
  for (const [bound, n] of more.within) grow(into.within, bound, n - (before.within.get(bound) ?? 0));
}

/** The least bound, in seconds, that a share of the requests did not exceed; undefined when it is above all bounds. */
export function boundOf({ requests, within }: Counts, share: number): number | undefined {
  const bounds = [...within].sort(([a], [b]) => a - b);
  return bounds.find(([, n]) => n >= requests * share)?.[0];
}

function grow<K>(map: Map<K, number>, key: K, by: number): void {
  map.set(key, (map.get(key) ?? 0) + by);
}
