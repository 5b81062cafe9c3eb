/** Runs every query of the dashboard and the rules against a Prometheus. */
import type { Prometheus, Sample } from './prometheus.ts';
import { dashboardQueries, type Query, selectorsOf } from './queries.ts';

export interface Finding {
  readonly of: string;
  readonly expr: string;
  readonly samples: readonly Sample[];
  /** Absent without a problem. */
  readonly problem?: string;
}

/** Only when workers are overloaded, or something is broken. */
const NEVER = ['flashsale_shed_requests_total', 'http_requests_total{status_code="500"}'];
/** Only where buyers prove themselves or have rates, which is off here; test/door sees them. */
const OF_DOOR = [
  'flashsale_door_refusals_total',
  'flashsale_door_refusals_total{reason=~".*_rate"}',
  'sum by (reason) (rate(flashsale_door_refusals_total[30s]))',
  'flashsale_buyer_keys',
  'flashsale_buyer_keys_read_timestamp_seconds',
  'checkout_failure_total{reason="buyer_unproven"}',
];
/** Only after a minute. */
export const OF_AUDIT = 'flashsale_audit_last_run_timestamp_seconds';
const OF_FAULTS = [
  'http_requests_total{status_code=~"5.."}',
  'http_requests_total{handler=~"/checkout|/purchase",status_code=~"5.."}',
  'purchase_failure_total{reason="outcome_unknown"}',
  'ALERTS',
  'ALERTS{alertstate="firing"}',
  'A worker died',
];

/** What may find nothing, by phase: selectors (and the queries that read them), or titles. */
export const EMPTY = {
  healthy: new Set([...NEVER, ...OF_DOOR, ...OF_FAULTS, OF_AUDIT]),
  afterFaults: new Set([...NEVER, ...OF_DOOR, OF_AUDIT]),
} as const;

/**
 * Every selector of every query of the dashboard and of the rules must find something, and every query of the dashboard
 * must answer, unless `empty` names it.
 */
export async function askAll(prometheus: Prometheus, empty: ReadonlySet<string>): Promise<Finding[]> {
  const panels = dashboardQueries();
  const rules = (await prometheus.rules()).map(({ name, query }) => ({ of: name, expr: query }));
  const selectors = [...panels, ...rules].flatMap(({ of, expr }) =>
    selectorsOf(expr).map((selector) => ({ of, expr: selector })),
  );
  // Panels last, so that what a panel asks for is shown under its title.
  const distinct = new Map([...selectors, ...panels].map((query) => [query.expr, query]));
  return ask(prometheus, [...distinct.values()], empty);
}

/** Only what could not be answered before the first audit. */
export function askAudited(prometheus: Prometheus): Promise<Finding[]> {
  const queries = dashboardQueries().filter(({ expr }) => selectorsOf(expr).includes(OF_AUDIT));
  return ask(prometheus, queries, new Set());
}

async function ask(
  prometheus: Prometheus,
  queries: readonly Query[],
  empty: ReadonlySet<string>,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { of, expr } of queries) {
    const samples = await prometheus.query(expr);
    const isExcused = [of, ...selectorsOf(expr)].some((name) => empty.has(name));
    const isWrong = samples.length === 0 && !isExcused;
    findings.push({ of, expr, samples, ...(isWrong && { problem: 'finds nothing' }) });
  }
  return findings;
}
