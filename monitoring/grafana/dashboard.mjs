/**
 * Makes dashboards/flashsale.json: `npm run dashboard`. The questions of a drop night, a row each.
 * What a figure means is in docs/metrics.md, what to do about it in docs/runbook.md.
 */
import { writeFileSync } from 'node:fs';
import { figure, layOut, lines, PROMETHEUS, spread, table } from './panels.mjs';

const RATE = '[$__rate_interval]';
const SALE = '{sale=~"$sale"}';
const UNKNOWN = 'purchase_failure_total{reason="outcome_unknown"}';
/** Both handlers that sell. */
const SELLING = 'handler=~"/checkout|/purchase"';

const rate = (metric) => `sum(rate(${metric}${RATE}))`;
const rateBy = (label, metric) => `sum by (${label}) (rate(${metric}${RATE}))`;
const quantile = (q, histogram, by = '') =>
  `histogram_quantile(${q}, sum by (${by}le) (rate(${histogram}${RATE})) > 0)`;
const buckets = (handler) => `http_request_duration_seconds_bucket{handler="${handler}"}`;
const quantiles = (handler) => [
  [quantile(0.5, buckets(handler)), 'p50'],
  [quantile(0.95, buckets(handler)), 'p95'],
  [quantile(0.99, buckets(handler)), 'p99'],
];

const GOOD_IS_ONE = { red: null, green: 1 };
const GOOD_IS_ZERO = { green: null, red: 1 };

const now = [
  figure({
    title: 'Items left',
    about:
      'Of the hourly sale that is open. Falls while people buy; 0 is sold out. "none": no hourly sale is open, or Redis is away.',
    queries: [['max(sale_items_total) - max(sale_items_sold)']],
    decimals: 0,
  }),
  figure({
    title: 'Sold per second',
    about:
      'Items, over all sales. Thousands at the opening, 0 when all are sold. 0 with items left and buyers at the door: see NothingSells.',
    queries: [[rate('sale_items_sold_total')]],
    decimals: 1,
  }),
  figure({
    title: 'Requests per second',
    about:
      'All answers, whatever they say. A box of 2 cores refuses some 50,000 and accepts some 30,000 a second.',
    queries: [[rate('http_requests_total')]],
    unit: 'reqps',
  }),
  figure({
    title: 'Failed, of checkouts and purchases',
    about: 'Answered 5xx. Normally 0. Refusals (4xx) are no failures. See PurchasesFail and CheckoutsFail.',
    queries: [
      [
        `(${rate(`http_requests_total{${SELLING},status_code=~"5.."}`)} or vector(0)) / (${rate(`http_requests_total{${SELLING}}`)} > 0)`,
      ],
    ],
    unit: 'percentunit',
    steps: { green: null, orange: 0.01, red: 0.05 },
  }),
  figure({
    title: 'p99 of checkouts and purchases',
    about:
      'One in a hundred takes longer. Some ms without a crowd; above 0.5 s see SlowCheckouts and SlowPurchases.',
    queries: [[quantile(0.99, `http_request_duration_seconds_bucket{${SELLING}}`)]],
    unit: 's',
    steps: { green: null, orange: 0.25, red: 0.5 },
  }),
  figure({
    title: 'Gates',
    about:
      'Open: every live sale is whole in Redis. Shut for some seconds while a sale is loaded or rebuilt. See SaleGateShut.',
    queries: [['min(flashsale_gate_open)']],
    words: { 0: 'shut', 1: 'open' },
    steps: GOOD_IS_ONE,
  }),
  figure({
    title: 'Redis and Postgres',
    about:
      'Away: at least one process cannot reach one of them, and answers 503. See RedisAway and PostgresAway.',
    queries: [['min(flashsale_dependency_up)']],
    words: { 0: 'away', 1: 'up' },
    steps: GOOD_IS_ONE,
  }),
  figure({
    title: 'Alerts',
    about: 'Firing now; which ones is in the table below. Normally 0.',
    queries: [['count(ALERTS{alertstate="firing"}) or vector(0)']],
    steps: GOOD_IS_ZERO,
  }),
];

const selling = [
  table({
    title: 'Live sales',
    about:
      'From their creation to a minute after their end: normally the one of this hour and the next. Left at 0: sold out.',
    queries: [
      [`max by (sale) (flashsale_sale_items${SALE})`],
      [`max by (sale) (flashsale_sale_items_sold${SALE})`],
      [`max by (sale) (flashsale_sale_items${SALE}) - max by (sale) (flashsale_sale_items_sold${SALE})`],
      [`max by (sale) (flashsale_sale_ends_timestamp_seconds${SALE}) - time()`],
      [`min by (sale) (flashsale_gate_open${SALE})`],
    ],
    columns: {
      ...{ sale: 'Sale', 'Value #A': 'Items', 'Value #B': 'Sold', 'Value #C': 'Left' },
      ...{ 'Value #D': 'Ends in', 'Value #E': 'Gate open' },
    },
    units: { 'Ends in': 's' },
  }),
  table({
    title: 'Alerts, firing and pending',
    about: 'Normally none. Each has a heading of its name in docs/runbook.md.',
    queries: [['ALERTS']],
    columns: {
      alertname: 'Alert',
      alertstate: 'State',
      severity: 'Severity',
      sale: 'Sale',
      process: 'Process',
    },
    hidden: ['Value', 'Value #A', '__name__', 'job'],
  }),
  lines({
    title: 'Items sold',
    about:
      'Climbs steeply at the opening and ends at the sale’s total. A line that falls means that Redis was rebuilt, and lost what nobody had been told.',
    queries: [
      [`max by (sale) (flashsale_sale_items_sold${SALE})`, '{{sale}}'],
      [`max by (sale) (flashsale_sale_items${SALE})`, '{{sale}}: all'],
    ],
  }),
  lines({
    title: 'Carts and purchases',
    about:
      'Carts filled, purchases answered 200, items sold, per second. Carts without purchases for long: see NothingSells.',
    queries: [
      [rate('checkout_success_total'), 'checkouts accepted'],
      [rate('purchase_success_total'), 'purchases accepted'],
      [rate('sale_items_sold_total'), 'items sold'],
    ],
  }),
  lines({
    title: 'Attempts',
    about:
      'What people ask for, per second. Most checkouts are hopeless once the popular items are gone; that is no fault.',
    queries: [
      [rate('checkout_attempts_total'), 'checkouts'],
      [rate('purchase_attempts_total'), 'purchases'],
    ],
  }),
];

const fast = [
  lines({
    title: 'Requests by handler',
    about: 'Answers per second. /checkout is nearly all of it in a drop.',
    queries: [[rateBy('handler', 'http_requests_total'), '{{handler}}']],
    unit: 'reqps',
    stacked: true,
  }),
  lines({
    title: 'Checkouts: how long',
    about:
      'Refusals from memory take well below 1 ms, accepted ones a round to Redis. The red line is SlowCheckouts.',
    queries: quantiles('/checkout'),
    unit: 's',
    limit: 0.5,
  }),
  lines({
    title: 'Purchases: how long',
    about:
      'A round to Redis and a commit in Postgres: some 5 to 20 ms without a crowd. The red line is SlowPurchases.',
    queries: quantiles('/purchase'),
    unit: 's',
    limit: 0.5,
  }),
  spread({
    title: 'Checkouts by duration',
    about:
      'Two bands are normal: refused from memory, and decided by Redis. A third one that climbs is a queue.',
    queries: [[rateBy('le', buckets('/checkout')), '{{le}}']],
    width: 12,
  }),
  spread({
    title: 'Purchases by duration',
    about: 'One band is normal. It climbs with the time of a commit; compare "Postgres: p99".',
    queries: [[rateBy('le', buckets('/purchase')), '{{le}}']],
    width: 12,
  }),
];

const refused = [
  lines({
    title: 'Checkouts refused, by reason',
    about:
      'item_already_sold and sale_sold_out are a drop’s daily bread. overloaded and unavailable are ours: see Shedding, RedisAway. sale_not_active for long: clients with a wrong sale.',
    queries: [[rateBy('reason', 'checkout_failure_total'), '{{reason}}']],
    stacked: true,
  }),
  lines({
    title: 'Purchases refused or failed, by reason',
    about:
      'all_items_sold: others were faster. already_processed: clients that repeat. outcome_unknown: see OutcomesUnknown. Much checkout_not_found: codes are guessed, or Redis lost carts.',
    queries: [[rateBy('reason', 'purchase_failure_total'), '{{reason}}']],
    stacked: true,
  }),
  lines({
    title: 'Checkouts refused from memory',
    about:
      'These cost neither Redis nor Postgres anything. None at all while items are sold: workers hear nothing of the sold channel, and only get slower.',
    queries: [[rateBy('kind', 'flashsale_shard_refusals_total'), '{{kind}}']],
    stacked: true,
  }),
  lines({
    title: 'Refused for being sold, from memory',
    about:
      'The share of such refusals that did not reach Redis. Rises to nearly 100 % within seconds of the opening.',
    queries: [
      [
        `${rate('flashsale_shard_refusals_total')} / (${rate('checkout_failure_total{reason=~"item_already_sold|sale_sold_out"}')} > 0)`,
        'from memory',
      ],
    ],
    unit: 'percentunit',
    max: 1,
  }),
  lines({
    title: 'Failures by handler',
    about:
      'The share of answers that are 5xx. Normally 0. The red line is PurchasesFail and CheckoutsFail; /readyz says 503 while a box drains.',
    queries: [['handler:http_errors:ratio1m', '{{handler}}']],
    unit: 'percentunit',
    limit: 0.05,
  }),
  lines({
    title: 'Turned away, since a queue was full',
    about:
      '503 overloaded, per second. Normally none. Some at the opening is the bound at work; for minutes see Shedding.',
    queries: [[rateBy('handler', 'flashsale_shed_requests_total'), '{{handler}}']],
  }),
];

const slow = [
  lines({
    title: 'Redis: p99 by script and command',
    about: 'A few ms. All of them slow: Redis’ CPU or its disk. Deadlines are 0.9 s.',
    queries: [[quantile(0.99, 'redis_command_duration_seconds_bucket', 'command, '), '{{command}}']],
    unit: 's',
  }),
  lines({
    title: 'Postgres: p99 by statement',
    about: 'Some 25 ms with 200 buyers. Commits of purchases that climb: Postgres’ disk, or locks.',
    queries: [
      [quantile(0.99, 'db_query_duration_seconds_bucket', 'query_type, table, '), '{{query_type}} {{table}}'],
    ],
    unit: 's',
  }),
  lines({
    title: 'Event loop: longest delay',
    about:
      'Since the last scrape, of each process. 10 to 50 ms; the red line, for a minute, is EventLoopStalls: more load than this process can carry.',
    queries: [['flashsale_event_loop_delay_seconds', '{{process}}']],
    unit: 's',
    limit: 0.2,
  }),
  lines({
    title: 'Event loop: p99 of the delay',
    about: 'Of the worst process. Some 10 ms are the timer’s own.',
    queries: [
      ['max(nodejs_eventloop_lag_p99_seconds)', 'p99'],
      ['max(nodejs_eventloop_lag_p50_seconds)', 'p50'],
    ],
    unit: 's',
  }),
  lines({
    title: 'Operations per script call',
    about: 'The mean. 1 without a crowd, some 20 with 100 connections, at most 256: the more, the cheaper.',
    queries: [
      [
        `${rateBy('batch', 'flashsale_batch_size_sum')} / (${rateBy('batch', 'flashsale_batch_size_count')} > 0)`,
        '{{batch}}',
      ],
    ],
  }),
  lines({
    title: 'Questions between workers',
    about:
      'Per second. unanswered and not_asked are nothing but slowness, and rare; when they are most, a worker is stuck: see WorkerSilent.',
    queries: [[rateBy('outcome', 'flashsale_owner_questions_total'), '{{outcome}}']],
  }),
];

const behind = [
  lines({
    title: 'Queues',
    about:
      'Operations that wait or are under way. 8,192 checkouts or 4,096 purchases of a sale in a worker are the bound; past it they are turned away.',
    queries: [['sum by (queue) (flashsale_queue_depth)', '{{queue}}']],
  }),
  lines({
    title: 'Outbox: batches not yet committed',
    about:
      'Below ten, and 0 when nobody buys. They wait for Postgres, or for the sweeper when a worker died.',
    queries: [[`max by (sale) (flashsale_outbox_entries${SALE})`, '{{sale}}']],
  }),
  lines({
    title: 'Outbox: age of the oldest',
    about:
      'Well below a second; up to 3 s when a worker died. The red line is OutboxOld: what is decided does not reach Postgres.',
    queries: [[`max by (sale) (flashsale_outbox_oldest_age_seconds${SALE})`, '{{sale}}']],
    unit: 's',
    limit: 10,
  }),
  lines({
    title: 'Attempt log: bytes not yet in Postgres',
    about:
      'About a second’s worth. Grows while Postgres is away; at 512 MiB (the red line) checkouts are refused. See SpoolGrows.',
    queries: [['flashsale_spool_bytes', '{{instance}}']],
    unit: 'bytes',
    limit: 2 ** 29,
  }),
  lines({
    title: 'Attempt log: segments not yet in Postgres',
    about: 'A few. Many small ones: workers die often.',
    queries: [['flashsale_spool_segments', '{{instance}}']],
  }),
  lines({
    title: 'Workers that did not answer a scrape',
    about: 'Normally 0. Their last known figures are shown. For half a minute: see WorkerSilent.',
    queries: [['flashsale_scrape_silent_workers', '{{instance}}']],
  }),
];

const truth = [
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

const cost = [
  lines({
    title: 'CPU by process',
    about: 'Cores. A worker is one thread: at 1 it is full. Redis and Postgres are not in it.',
    queries: [[rateBy('process', 'flashsale_process_cpu_seconds_total'), '{{process}}']],
    stacked: true,
  }),
  lines({
    title: 'CPU per request',
    about: 'Of primary and workers. 20 to 60 µs under load, much more when there is little to do.',
    queries: [
      [
        `${rate('process_cpu_seconds_total{job="flashsale"}')} / (${rate('http_requests_total')} > 0)`,
        'per request',
      ],
    ],
    unit: 's',
  }),
  lines({
    title: 'Memory by process',
    about:
      'Resident. 100 to 300 MB; the red line is MemoryHigh. One that only climbs leaks: roll the workers.',
    queries: [['flashsale_process_resident_memory_bytes', '{{process}}']],
    unit: 'bytes',
    limit: 2 ** 30,
  }),
  lines({
    title: 'Garbage collection',
    about: 'The share of the time of one core, by kind, over all processes. Some percent under load.',
    queries: [[rateBy('kind', 'nodejs_gc_duration_seconds_sum'), '{{kind}}']],
    unit: 'percentunit',
    stacked: true,
  }),
  lines({
    title: 'Heap of all processes',
    about: 'Used and reserved by V8. A sawtooth.',
    queries: [
      ['sum(nodejs_heap_size_used_bytes)', 'used'],
      ['sum(nodejs_heap_size_total_bytes)', 'reserved'],
    ],
    unit: 'bytes',
  }),
  lines({
    title: 'Client connections',
    about: 'Open ones, per box. 10,000 per worker are the bound: see ConnectionsNearlyFull.',
    queries: [['flashsale_http_connections', '{{instance}}']],
  }),
  lines({
    title: 'Connections to Postgres',
    about:
      'Of all processes. At most 6 per worker and 8 of the primary. All in use for long: commits are slow.',
    queries: [
      ['sum(db_connections_active)', 'in use'],
      ['sum(db_connections_idle)', 'idle'],
    ],
    stacked: true,
  }),
  lines({
    title: 'Workers',
    about:
      'Those that serve; deaths and starts in five minutes. See WorkerDied, WorkersMissing. A roll starts each once, without a death.',
    queries: [
      ['sum(flashsale_workers)', 'serving'],
      ['sum(increase(flashsale_worker_deaths_total[5m]))', 'deaths'],
      ['sum(increase(flashsale_worker_starts_total[5m]))', 'starts'],
    ],
  }),
  lines({
    title: 'Watching itself',
    about:
      'Time of a scrape: some 30 ms, 0.5 s when a worker is silent. Log lines dropped per second: normally 0, see LogLinesDropped.',
    queries: [
      ['scrape_duration_seconds{job="flashsale"}', 'scrape of {{instance}}'],
      [rate('flashsale_log_lines_dropped_total'), 'log lines dropped'],
    ],
  }),
];

const mark = (name, iconColor, expr) => ({
  ...{ name, iconColor, datasource: PROMETHEUS, enable: true, hide: false },
  target: { refId: 'Anno', expr, interval: '' },
  titleFormat: name,
});

export const dashboard = {
  uid: 'flashsale',
  title: 'Flash sale',
  description: 'The questions of a drop night. What to do: docs/runbook.md.',
  tags: ['flashsale'],
  schemaVersion: 41,
  editable: false,
  graphTooltip: 1,
  refresh: '5s',
  time: { from: 'now-15m', to: 'now' },
  timezone: 'browser',
  links: [],
  annotations: {
    list: [
      mark('A worker died', 'red', 'increase(flashsale_worker_deaths_total[15s]) > 0'),
      mark('A sale was loaded or rebuilt', 'blue', 'increase(flashsale_rebuilds_total[15s]) > 0'),
    ],
  },
  templating: {
    list: [
      {
        name: 'sale',
        label: 'Sale',
        type: 'query',
        datasource: PROMETHEUS,
        query: { qryType: 1, query: 'label_values(flashsale_sale_items, sale)', refId: 'sale' },
        refresh: 2,
        sort: 1,
        multi: true,
        includeAll: true,
        allValue: '.+',
        current: { text: ['All'], value: ['$__all'] },
      },
    ],
  },
  panels: layOut({
    Now: now,
    'Is it selling?': selling,
    'How fast?': fast,
    'Who is refused, and why?': refused,
    'What is slow?': slow,
    'What is behind?': behind,
    'Is the truth intact?': truth,
    'What does it cost?': cost,
  }),
};

writeFileSync(
  new URL('dashboards/flashsale.json', import.meta.url),
  `${JSON.stringify(dashboard, null, 2)}\n`,
);
