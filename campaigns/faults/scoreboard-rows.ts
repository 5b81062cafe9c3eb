/** The rows of the scoreboard, with their targets. Where a run did less than its target asks, the result says what it did. */
import type { PlantedResult } from './planted.ts';
import { countOf, sum } from './report.ts';
import type { RunResult } from './run.ts';
import { percentile } from './summary.ts';

type Runs = readonly RunResult[];
type Row = readonly [number: string, figure: string, target: string, reached: string, result: string];

const named = (runs: Runs, pattern: RegExp): Runs => runs.filter(({ fault }) => pattern.test(fault));
const p95 = (runs: Runs, of: (run: RunResult) => number | undefined) =>
  `${percentile(
    runs.flatMap((run) => of(run) ?? []),
    0.95,
  )} ms`;
const ready = ({ measures }: RunResult) => measures.ready;
const drained = ({ measures }: RunResult) => measures.drained;
const heal = ({ recoveryMs }: RunResult) => recoveryMs;

const lost = (runs: Runs) => `${countOf(runs, 'lost', 'invented')} lost`;
const twice = (runs: Runs) => countOf(runs, 'sold-twice', 'two-outcomes');
const over = (runs: Runs) => countOf(runs, 'over-limit', 'over-total');
const all = (runs: Runs, of: (run: RunResult) => number) => sum(runs, of).toLocaleString('en');
const counts = (...parts: Runs[]) => parts.map(({ length }) => length).join('; ');
/** How often a fault happened that may happen several times in a run. */
const times = (runs: Runs) => all(runs, ({ counts: n }) => n.times ?? 0);

export function rowsOf(runs: Runs, planted: readonly PlantedResult[], full: boolean): Row[] {
  return [
    ...rowsOfProcesses(runs),
    ...rowsOfRedis(runs),
    ...rowsOfPostgres(runs, full),
    ...rowsOfBooks(runs),
    rowOfReturns(runs),
    rowOfFeed(runs),
    rowOfModel,
    rowOfPlanted(planted),
  ].sort(([a], [b]) => Number(a) - Number(b));
}

function rowsOfProcesses(runs: Runs): Row[] {
  const workers = named(runs, /^worker-kill/);
  const primaries = named(runs, /^primary-kill$/);
  const rolled = named(runs, /^rolling-restart$/);
  const ended = named(runs, /^sigterm-under-load$/);
  const slow = named(runs, /^slow-clients$/);
  const failed = countOf([...rolled, ...ended], 'failed-request');
  return [
    [
      '1',
      'worker SIGKILL under load, N = 200',
      '0 lost, 0 sold twice',
      times(workers),
      `${lost(workers)}, ${twice(workers)} sold twice`,
    ],
    [
      '2',
      'primary SIGKILL, N = 50',
      '0 lost; ready p95 ≤ 3 s',
      times(primaries),
      `${lost(primaries)}; ready p95 ${p95(primaries, ready)}`,
    ],
    [
      '12',
      'rolling restart × 50; 1,000 slow clients; 2× overload',
      '0 resets; p99 of the answered ≤ +20 %; goodput ≥ 90 % of peak',
      `${times(rolled)}; ${slow.length}`,
      `${failed} failed requests in ${times(rolled)} rolling restarts and ${ended.length} SIGTERMs; ${slow.length} runs with 200 slow clients; overload and p99: not run`,
    ],
  ];
}

function rowsOfRedis(runs: Runs): Row[] {
  const old = named(runs, /^(redis-kill-old|redis-flush-undone|box-pause-redis-old)$/);
  const emptied = named(runs, /^(redis-flush|two-boxes-flush|rebuild-crash)$/);
  const large = named(runs, /^redis-flush$/).filter(({ items }) => items >= 10_000);
  const swapped = named(runs, /^(redis-failback|redis-sentinel|proxy-swap|cluster-.*)$/);
  const failedOver = named(runs, /^redis-sentinel$/);
  const clustered = named(runs, /^cluster-/);
  const rebuilt =
    large.length > 0 ? `10,000 items served again after ${p95(large, heal)}` : '10,000 items: not run';
  return [
    [
      '3',
      'Redis SIGKILL + last second of the AOF cut off, N = 50',
      '0 acknowledged lost; serving p95 ≤ 5 s',
      counts(old),
      `${lost(old)}; serving p95 ${p95(old, heal)} (0.1 to 1.5 s cut off)`,
    ],
    [
      '4',
      'Redis emptied under load, N = 30',
      '0 resold; rebuild of 10,000 items ≤ 5 s',
      counts(emptied),
      `${twice(emptied)} resold; ${rebuilt}`,
    ],
    [
      '13',
      'Redis failback, Sentinel failover, a Cluster master killed; N = 20 each',
      '0 lost, 0 over a limit; serving p95 ≤ 10 s',
      counts(swapped),
      `${lost(swapped)}, ${over(swapped)} over a limit; serving p95 ${p95(swapped, heal)} (${swapped.length - failedOver.length - clustered.length} failbacks and swaps behind a proxy, ${failedOver.length} of Sentinels, ${clustered.length} of a Cluster)`,
    ],
  ];
}

function rowsOfPostgres(runs: Runs, full: boolean): Row[] {
  const killed = named(runs, /^postgres-kill$/);
  const down = named(runs, /^postgres-outage$/);
  const older = named(runs, /^postgres-older$/);
  const readOnly = named(runs, /^postgres-read-only$/);
  return [
    [
      '5',
      'Postgres killed N = 50; 60 s outage N = 5',
      '0 lost; drained ≤ 5 s',
      `${times(killed)}; ${down.length}`,
      `${lost([...killed, ...down])}; drained p95 ${p95(down, drained)} (outages of ${full ? 60 : 5} s)`,
    ],
    [
      '14',
      'Postgres promoted with the last second lost; read-only; N = 20 each',
      '0 resold of what Redis still knew',
      counts(older, readOnly),
      `${twice([...older, ...readOnly])} resold, ${lost([...older, ...readOnly])}`,
    ],
  ];
}

function rowsOfBooks(runs: Runs): Row[] {
  const unsold = runs.filter(({ violations }) => violations.some(({ kind }) => kind === 'not-sold-out'));
  return [
    [
      '6',
      'unknown outcomes resolved by posting the same code again within 10 s',
      '100 %',
      all(runs, (run) => run.unknown),
      `${all(runs, (run) => run.resolved)} settled, ${countOf(runs, 'unresolved')} late or never; some of them asked only after the sale`,
    ],
    [
      '7',
      'sold = total at the end of every campaign, also with the all-*maybe* filter',
      '100 %',
      counts(runs, named(runs, /^filter-maybe$/)),
      `${runs.length - unsold.length} of ${runs.length}`,
    ],
    ['8', 'over the total, or over the user limit, in all runs', '0', counts(runs), `${over(runs)}`],
    [
      '9',
      'attempts answered but not logged, kills included, of ≥ 1 M',
      '0',
      all(runs, (run) => run.attempts),
      `${countOf(runs, 'attempt-not-logged')} (logged twice: ${countOf(runs, 'attempt-logged-twice')})`,
    ],
  ];
}

function rowOfReturns(runs: Runs): Row {
  const given = named(runs, /^returns-kills$/);
  return [
    '15',
    'returns (cancel, release, expiry) under contention and kills, ≥ 100,000',
    'every unit on exactly one of: shelf, held, sold; 0 lost, 0 twice',
    all(given, ({ counts: n }) => n.returned ?? 0),
    `${countOf(given, 'books-differ')} runs whose books differ, ${countOf(given, 'lost')} with something lost, ${countOf(given, 'not-sold-out')} not sold out again; ${given.length} runs`,
  ];
}

function rowOfFeed(runs: Runs): Row {
  const told = named(runs, /^(feed-kills|returns-kills)$/);
  return [
    '16',
    'events and webhooks through kills, ≥ 100,000',
    '0 missed; duplicates only where the receiver did not answer',
    all(told, ({ counts: n }) => n.told ?? 0),
    `${countOf(told, 'event-missed')} runs with a missed one, ${countOf(told, 'event-twice')} with more duplicates than were under way; ${told.length} runs`,
  ];
}

const rowOfModel: Row = [
  '10',
  'model-based property runs (fast-check), ≥ 10,000',
  '0 counterexamples',
  '–',
  'not part of this campaign: campaigns/model',
];

const rowOfPlanted = (planted: readonly PlantedResult[]): Row => [
  '11',
  'planted bugs caught',
  'all of them',
  `${planted.length}`,
  `${planted.filter(({ caught }) => caught).length} of ${planted.length}`,
];
