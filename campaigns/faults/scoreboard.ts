import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, platform, release, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PlantedResult } from './planted.ts';
import { sum, tableOf } from './report.ts';
import type { RunResult } from './run.ts';
import { rowsOf } from './scoreboard-rows.ts';
import { ROOT } from './service.ts';

/** What is between these is written by hand, and stays. */
const BUGS_BEGIN = '<!-- bugs: written by hand -->';
const BUGS_END = '<!-- end of bugs -->';

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
