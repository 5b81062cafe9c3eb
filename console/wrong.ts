import type { Figures } from './figures.ts';
import { metric } from './rates.ts';

/** Something that is wrong, in words, and the heading of the runbook that says what to do. */
export interface Wrong {
  readonly words: string;
  readonly runbook: string;
}

/** The audit runs each minute; a leader that has not audited for this long does not. */
const AUDIT_LATE_S = 300;

/** What is wrong now, the worst first. */
export function wrongIn(now: Figures, before: Figures): Wrong[] {
  const value = (name: string, labels?: Record<string, string>) => metric(now, name, labels);
  const grew = (name: string) => (value(name) ?? 0) > (metric(before, name) ?? 0);
  const lastAudit = value('flashsale_audit_last_run_timestamp_seconds') ?? 0;
  const shut = now.samples.filter(({ name, value: open }) => name === 'flashsale_gate_open' && open === 0);
  const checks: [boolean, string, string][] = [
    [
      (value('flashsale_audit_differences_total') ?? 0) > 0,
      'Redis and Postgres differ: the audit found it.',
      'BooksDiffer',
    ],
    [
      (value('flashsale_contradictions_total') ?? 0) > 0,
      'A decision in Redis contradicts a row of Postgres.',
      'RedisContradicted',
    ],
    [
      value('flashsale_dependency_up', { dependency: 'postgres' }) === 0,
      'Postgres is away: purchases are answered 503.',
      'PostgresAway',
    ],
    [
      value('flashsale_dependency_up', { dependency: 'redis' }) === 0,
      'Redis is away: nothing is sold.',
      'RedisAway',
    ],
    [
      shut.length > 0,
      `The gate of ${shut.map(({ labels }) => labels.sale).join(', ')} is shut: it is being rebuilt.`,
      'SaleGateShut',
    ],
    [
      (value('flashsale_outbox_oldest_age_seconds') ?? 0) > 10,
      'Decisions wait to be committed for more than 10 s.',
      'OutboxOld',
    ],
    [grew('flashsale_worker_deaths_total'), 'A worker has died; another takes its place.', 'WorkerDied'],
    [grew('flashsale_shed_requests_total'), 'Requests are refused as overloaded.', 'Shedding'],
    [
      lastAudit > 0 && now.at / 1_000 - lastAudit > AUDIT_LATE_S,
      'Nobody has audited for more than 5 minutes.',
      'AuditStale',
    ],
    [
      (value('flashsale_webhooks_dead') ?? 0) > 0,
      'Webhooks could not be delivered: see below.',
      'WebhooksDead',
    ],
  ];
  return checks.filter(([isWrong]) => isWrong).map(([, words, runbook]) => ({ words, runbook }));
}
