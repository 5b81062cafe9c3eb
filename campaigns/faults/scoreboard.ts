import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, platform, release, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PlantedResult } from './planted.ts';
import { countOf, sum, tableOf } from './report.ts';
import type { RunResult } from './run.ts';
import { ROOT } from './service.ts';
import { percentile } from './summary.ts';

/** What is between these is written by hand, and stays. */
const BUGS_BEGIN = '<!-- bugs: written by hand -->';
const BUGS_END = '<!-- end of bugs -->';

type Row = readonly [number: string, figure: string, target: string, reached: string, result: string];

const named = (runs: readonly RunResult[], pattern: RegExp) =>
  runs.filter(({ fault }) => pattern.test(fault));
const p95 = (runs: readonly RunResult[], of: (run: RunResult) => number | undefined) =>
  `${percentile(
    runs.flatMap((run) => of(run) ?? []),
    0.95,
  )} ms`;
const lost = (runs: readonly RunResult[]) => countOf(runs, 'lost', 'invented');
const twice = (runs: readonly RunResult[]) => countOf(runs, 'sold-twice', 'two-outcomes');
const all = (runs: readonly RunResult[], of: (run: RunResult) => number) =>
  sum(runs, of).toLocaleString('en');

/**
 * The rows of the scoreboard, with their targets. Where a run did less than its target asks, the result says what it
 * did.
 */
function rowsOf(runs: readonly RunResult[], planted: readonly PlantedResult[], full: boolean): Row[] {
  const count = (pattern: RegExp) => named(runs, pattern).length;
  const workers = named(runs, /^worker-kill/);
  const primaries = named(runs, /^primary-kill$/);
  const old = named(runs, /^(redis-kill-old|redis-flush-undone|box-pause-redis-old)$/);
  const emptied = named(runs, /^(redis-flush|two-boxes-flush|rebuild-crash)$/);
  const large = named(runs, /^redis-flush$/).filter(({ items }) => items >= 10_000);
  const killed = named(runs, /^postgres-kill$/);
  const down = named(runs, /^postgres-outage$/);
  const rolled = named(runs, /^(rolling-restart|sigterm-under-load)$/);
  const ready = ({ measures }: RunResult) => measures.ready;
  const heal = ({ recoveryMs }: RunResult) => recoveryMs;
  const drained = ({ measures }: RunResult) => measures.drained;
  const unsold = runs.filter(({ violations }) => violations.some(({ kind }) => kind === 'not-sold-out'));
  const rebuilt =
    large.length > 0 ? `10,000 items served again after ${p95(large, heal)}` : '10,000 items: not run';
  return [
    [
      '1',
      'worker SIGKILL under load, N = 200',
      '0 lost, 0 sold twice',
      `${workers.length}`,
      `${lost(workers)} lost, ${twice(workers)} sold twice`,
    ],
    [
      '2',
      'primary SIGKILL, N = 50',
      '0 lost; ready p95 ≤ 3 s',
      `${primaries.length}`,
      `${lost(primaries)} lost; ready p95 ${p95(primaries, ready)}`,
    ],
    [
      '3',
      'Redis SIGKILL + last second of the AOF cut off, N = 50',
      '0 acknowledged lost; serving p95 ≤ 5 s',
      `${old.length}`,
      `${lost(old)} lost; serving p95 ${p95(old, heal)} (0.1 to 1.5 s cut off)`,
    ],
    [
      '4',
      'Redis emptied under load, N = 30',
      '0 resold; rebuild of 10,000 items ≤ 5 s',
      `${emptied.length}`,
      `${twice(emptied)} resold; ${rebuilt}`,
    ],
    [
      '5',
      'Postgres killed N = 50; 60 s outage N = 5',
      '0 lost; drained ≤ 5 s',
      `${killed.length}; ${down.length}`,
      `${lost([...killed, ...down])} lost; drained p95 ${p95(down, drained)} (outages of ${full ? 60 : 5} s)`,
    ],
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
      `${runs.length}; ${count(/^filter-maybe$/)}`,
      `${runs.length - unsold.length} of ${runs.length}`,
    ],
    [
      '8',
      'over the total, or over the user limit, in all runs',
      '0',
      `${runs.length}`,
      `${countOf(runs, 'over-limit', 'over-total')}`,
    ],
    [
      '9',
      'attempts answered but not logged, kills included, of ≥ 1 M',
      '0',
      all(runs, (run) => run.attempts),
      `${countOf(runs, 'attempt-not-logged')} (logged twice: ${countOf(runs, 'attempt-logged-twice')})`,
    ],
    [
      '10',
      'model-based property runs (fast-check), ≥ 10,000',
      '0 counterexamples',
      '–',
      'not part of this campaign: campaigns/model',
    ],
    [
      '11',
      'planted bugs caught',
      '6 of 6',
      `${planted.length}`,
      `${planted.filter((bug) => bug.caught).length} of ${planted.length}`,
    ],
    [
      '12',
      'rolling restart × 50; 1,000 slow clients; 2× overload',
      '0 resets; p99 of the answered ≤ +20 %; goodput ≥ 90 % of peak',
      `${rolled.length}`,
      `${countOf(rolled, 'failed-request')} failed requests in ${count(/^rolling-restart$/)} rolling restarts and ${count(/^sigterm/)} SIGTERMs; ${count(/^slow-clients$/)} runs with 200 slow clients; overload and p99: not run`,
    ],
  ];
}

function machine(): string {
  const model = cpus()[0]?.model ?? 'unknown CPU';
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${availableParallelism()} cores (${model}), ${memory} GiB, ${platform()} ${release()}, Node ${process.version}`;
}

function commit(): string {
  try {
    const git = (...args: string[]) =>
      execFileSync('git', args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    const changed = git('status', '--porcelain', 'src', 'lua', 'sql') === '' ? '' : ' with changes';
    return `${git('rev-parse', '--short', 'HEAD')}${changed}`;
  } catch {
    return process.env.FAULTS_COMMIT ?? 'unknown';
  }
}

function bugsOf(path: string): string {
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const [, bugs] = new RegExp(`${BUGS_BEGIN}([\\s\\S]*)${BUGS_END}`).exec(text) ?? [];
  return bugs ?? '\n\nNone is written down yet.\n\n';
}

/** Writes docs/scoreboard.md from what has just run; returns its path. */
export function writeScoreboard(
  runs: readonly RunResult[],
  planted: readonly PlantedResult[],
  { seed, full }: { readonly seed: number; readonly full: boolean },
): string {
  const path = join(
    process.env.FAULTS_DOCS ?? fileURLToPath(new URL('../../../docs/', import.meta.url)),
    'scoreboard.md',
  );
  const rows = rowsOf(runs, planted, full).map((row) => `| ${row.join(' | ')} |`);
  const violated = runs.filter(({ violations }) => violations.length > 0);
  const bugs = planted.map(
    ({ name, caught, by, runs: n }) => `| ${name} | ${caught ? `caught: ${by}` : 'not caught'} | ${n} |`,
  );
  const text = `# Scoreboard

Written by \`npm run faults -- --scoreboard\`, from what it has just run; only "Bugs this campaign found" is by hand.
Commit ${commit()}, ${new Date().toISOString().slice(0, 10)}, first seed ${seed}, on ${machine()}.
Every run ends with an audit: histories of all clients, Postgres and Redis must agree
([campaigns/faults/checker.ts](../campaigns/faults/checker.ts)).

| # | figure | target | N | result |
| --- | --- | --- | --- | --- |
${rows.join('\n')}

${runs.length} runs, ${sum(runs, (run) => run.ops).toLocaleString('en')} requests; runs with any violation: ${violated.length}${violated.map((run) => `\n- ${run.fault}, seed ${run.seed}: ${run.violations[0]?.kind} ${run.violations[0]?.detail}`).join('')}

## By fault

\`\`\`
${tableOf(runs)}
\`\`\`

A run is repeated by \`npm run faults -- --fault <fault> --seed <seed> --runs 1\`: the seed chooses victims, moments and
what clients do; the operating system chooses the rest.

## Planted bugs

| bug | found by | runs needed |
| --- | --- | --- |
${bugs.join('\n') || '| (not run) | | |'}

## Bugs this campaign found

${BUGS_BEGIN}${bugsOf(path)}${BUGS_END}
`;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}
