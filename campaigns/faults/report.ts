import type { ViolationKind } from './checker.ts';
import type { RunResult } from './run.ts';
import { percentile } from './summary.ts';

/** One line per run. */
export function lineOf(run: RunResult): string {
  const measures = Object.entries(run.measures).map(([name, ms]) => `, ${name} ${ms} ms`);
  const counts = Object.entries(run.counts).map(([name, n]) => `, ${n} ${name}`);
  const kinds = [...new Set(run.violations.map(({ kind }) => kind))];
  const result =
    kinds.length === 0 ? 'ok' : `VIOLATED ${kinds.join(', ')} (${run.violations.length}) → ${run.folder}`;
  return (
    `${run.fault.padEnd(26)} seed ${String(run.seed).padEnd(5)} ${String(run.ops).padStart(6)} ops, ` +
    `${run.acknowledged} acknowledged, ${run.unknown} unknown, ${run.resolved} resolved, ` +
    `healed in ${run.recoveryMs} ms${measures.join('')}${counts.join('')}: ${result}`
  );
}

const COLUMNS: readonly [string, (runs: readonly RunResult[]) => number | string][] = [
  ['runs', (runs) => runs.length],
  ['ops', (runs) => sum(runs, (run) => run.ops)],
  ['lost', (runs) => countOf(runs, 'lost', 'invented')],
  ['sold twice', (runs) => countOf(runs, 'sold-twice', 'two-outcomes')],
  ['over limit', (runs) => countOf(runs, 'over-limit', 'over-total')],
  ['unsold', (runs) => countOf(runs, 'not-sold-out')],
  ['unresolved', (runs) => countOf(runs, 'unresolved', 'forgotten-code')],
  ['unlogged', (runs) => countOf(runs, 'attempt-not-logged', 'attempt-logged-twice', 'attempt-invented')],
  ['other', (runs) => sum(runs, ({ violations }) => violations.length) - known(runs)],
  [
    'p95 heal ms',
    (runs) =>
      percentile(
        runs.map((run) => run.recoveryMs),
        0.95,
      ),
  ],
  [
    'p95 ready ms',
    (runs) =>
      percentile(
        runs.flatMap((run) => run.measures.ready ?? []),
        0.95,
      ) || '–',
  ],
];

const KNOWN: readonly ViolationKind[] = [
  ...([
    'lost',
    'invented',
    'sold-twice',
    'two-outcomes',
    'over-limit',
    'over-total',
    'not-sold-out',
  ] as const),
  ...([
    'unresolved',
    'forgotten-code',
    'attempt-not-logged',
    'attempt-logged-twice',
    'attempt-invented',
  ] as const),
];
const known = (runs: readonly RunResult[]) => countOf(runs, ...KNOWN);

export const sum = (runs: readonly RunResult[], of: (run: RunResult) => number): number =>
  runs.reduce((total, run) => total + of(run), 0);

export const countOf = (runs: readonly RunResult[], ...kinds: ViolationKind[]): number =>
  sum(runs, ({ violations }) => violations.filter(({ kind }) => kinds.includes(kind)).length);

/** A table with one row per fault. */
export function tableOf(runs: readonly RunResult[]): string {
  const faults = [...new Set(runs.map(({ fault }) => fault))];
  const rows = faults.map((fault) => [
    fault,
    ...COLUMNS.map(([, of]) => of(runs.filter((run) => run.fault === fault))),
  ]);
  const cells = [
    ['fault', ...COLUMNS.map(([name]) => name)],
    ...rows,
    ['all', ...COLUMNS.map(([, of]) => of(runs))],
  ].map((row) => row.map(String));
  const widths = (cells[0] as string[]).map((_, i) =>
    Math.max(...cells.map((row) => (row[i] as string).length)),
  );
  return cells
    .map((row) =>
      row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  '),
    )
    .join('\n');
}
