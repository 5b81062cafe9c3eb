import { figure, lines } from '../panels.mjs';
import { GOOD_IS_ONE, GOOD_IS_ZERO, SALE, UNKNOWN } from '../queries.mjs';

export const truth = [
  figure({
    title: 'Differences found',
    about: 'By the audit, in the time that is shown. Anything but 0 is an incident: see BooksDiffer.',
    queries: [['sum(increase(flashsale_audit_differences_total[$__range]))']],
    steps: GOOD_IS_ZERO,
    decimals: 0,
    width: 4,
  }),
  figure({
    title: 'Since the last audit',
    about: 'Of all live sales; each minute. "none": not since the start, or nobody leads. See AuditStale.',
    queries: [['time() - max(flashsale_audit_last_run_timestamp_seconds)']],
    unit: 's',
    steps: { green: null, orange: 90, red: 180 },
    decimals: 0,
    width: 4,
  }),
  figure({
    title: 'Boxes that lead',
    about: '1. The leader schedules, rebuilds, sweeps and audits. 0: see NoLeader.',
    queries: [['sum(flashsale_leader)']],
    steps: GOOD_IS_ONE,
    decimals: 0,
    width: 4,
  }),
  figure({
    title: 'Outcomes unknown',
    about:
      'Purchases that heard outcome_unknown in the time that is shown. They are resolved by posting the same code again. See OutcomesUnknown.',
    // The first ones come with their series, which increase() does not see.
    queries: [
      [
        `(sum(increase(${UNKNOWN}[$__range]) and ${UNKNOWN} offset $__range) or vector(0)) + (sum(${UNKNOWN} unless ${UNKNOWN} offset $__range) or vector(0))`,
      ],
    ],
    steps: { green: null, orange: 1 },
    decimals: 0,
    width: 4,
  }),
  figure({
    title: 'Decisions swept',
    about:
      'Purchases of lost workers that the sweeper committed in the time that is shown. Right, but a worker or Redis was in trouble.',
    queries: [['sum(increase(flashsale_swept_decisions_total[$__range]))']],
    steps: { green: null, orange: 1 },
    decimals: 0,
    width: 4,
  }),
  figure({
    title: 'Answers repeated',
    about:
      'Purchases with an Idempotency-Key that heard their original answer again, in the time that is shown. Clients at work after lost answers.',
    queries: [['sum(increase(flashsale_purchase_replays_total[$__range]))']],
    decimals: 0,
    width: 4,
  }),
  lines({
    title: 'Gate by sale',
    about: '1 is open. Shut for seconds at a first load and after Redis restarted; longer: see SaleGateShut.',
    queries: [[`min by (sale) (flashsale_gate_open${SALE})`, '{{sale}}']],
    max: 1,
    width: 12,
  }),
  lines({
    title: 'Rebuilds, and batches that met a shut gate',
    about:
      'In five minutes. A new sale is one rebuild. More: Redis restarted, and each sale is written anew from Postgres. See RebuildsRepeat.',
    queries: [
      ['sum(increase(flashsale_rebuilds_total[5m]))', 'rebuilds'],
      ['sum(increase(flashsale_fenced_total[5m]))', 'fenced batches'],
    ],
    width: 12,
  }),
];
