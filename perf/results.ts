/** The suite's results: on the screen, as JSON with the machine they were taken on, and as a picture. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { readConfig } from '../src/config.ts';
import type { Sample } from './cases.ts';
import { drawBars } from './chart.ts';
import { printTable } from './command.ts';
import type { OpenLoopResult } from './figures.ts';
import type { HourChangeResult } from './hour-change.ts';
import { ohaVersion } from './oha.ts';
import type { ScaleResult } from './scale.ts';
import { ROLES, sumCpu } from './usage.ts';

export interface CaseResult {
  readonly name: string;
  readonly samples: readonly Sample[];
  /** Medians over the rounds. */
  readonly perSecond: number;
  readonly ratio: number;
}

export interface Results {
  readonly machine: ReturnType<typeof describeMachine>;
  readonly options: { readonly seconds: number; readonly rounds: number; readonly items: number };
  readonly cases: readonly CaseResult[];
  readonly openLoop: OpenLoopResult;
  readonly scale: readonly ScaleResult[];
  /** All processes of the service after the rounds, in bytes. */
  readonly memory: number;
  /** Milliseconds. */
  readonly warmStart: readonly number[];
  readonly hourChange: HourChangeResult;
}

const root = new URL('../../', import.meta.url);

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

function output(command: string, ...args: string[]): string {
  try {
    return execFileSync(command, args, { cwd: fileURLToPath(root), encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch {
    return 'unknown';
  }
}

/** The machine, the versions and the commit that the figures depend on. */
export function describeMachine(oha: string) {
  const { version } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as { version: string };
  const changed = !['', 'unknown'].includes(output('git', 'status', '--porcelain', '--untracked-files=no'));
  return {
    date: new Date().toISOString(),
    commit: output('git', 'rev-parse', '--short', 'HEAD') + (changed ? ' with changes' : ''),
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: `${process.platform} ${release()}`,
    /** The load average before the run: with other work on the machine no figure counts. */
    loadBefore: loadavg()[0] ?? 0,
    versions: {
      flashsale: version,
      node: process.version,
      redis:
        /v=(\S+)/.exec(output(readConfig().redisServer ?? 'redis-server', '--version'))?.[1] ?? 'unknown',
      oha: ohaVersion(oha),
    },
  };
}

/** Above it something else runs on the machine; the suite's own start is not yet in the average. */
const BUSY_LOAD = 1;

const ms = (value: number) => `${value.toFixed(value < 10 ? 1 : 0)} ms`;
const mib = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`;

/** One row for each case, the medians of its rounds. */
export function printCases(cases: readonly CaseResult[]): void {
  const rows = cases.map(({ name, samples, perSecond, ratio }) => {
    const of = (figure: (sample: Sample) => number) => median(samples.map(figure));
    const scripts = of((sample) => sample.more.redisScripts ?? Number.NaN);
    const seconds = of((sample) => sample.more.seconds ?? Number.NaN);
    const note =
      scripts >= 0 ? `${scripts.toFixed(4)} scripts each` : seconds >= 0 ? `in ${seconds.toFixed(2)} s` : '';
    const cpu = ROLES.map((role) => of((sample) => sample.cpuUs[role]));
    const cpuUs = `${of((sample) => sumCpu(sample.cpuUs)).toFixed(0)} µs`;
    const generator = of((sample) => sample.generatorCores).toFixed(2);
    const sound = samples.every((sample) => sample.faults.length === 0) ? 'agree' : 'VOID';
    const latencies = [ms(of((sample) => sample.p50Ms)), ms(of((sample) => sample.p99Ms))];
    const byRole = cpu.map((us) => us.toFixed(1)).join(' + ');
    return [
      name,
      Math.round(perSecond),
      ratio.toFixed(2),
      ...latencies,
      cpuUs,
      byRole,
      generator,
      sound,
      note,
    ];
  });
  printTable([
    ['', 'requests/s', '÷ bare', 'p50', 'p99', 'CPU each', ROLES.join(' + '), 'generator cores', 'books', ''],
    ...rows,
  ]);
}

export function printResults(results: Results): void {
  const { machine, cases, openLoop, scale, memory, warmStart, hourChange, options } = results;
  const { date, commit, cpu, cores, versions } = machine;
  console.log(
    `\n${date.slice(0, 10)}, ${commit}, ${cores} × ${cpu}, Node ${versions.node}; medians of ${options.rounds} rounds\n`,
  );
  if (machine.loadBefore > BUSY_LOAD)
    console.log(
      `The machine was busy before (load ${machine.loadBefore.toFixed(1)}): the figures tell little.\n`,
    );
  printCases(cases);
  const { due, answered, checkout, purchase, faults } = openLoop;
  console.log(
    `\nAt ${Math.round(due).toLocaleString('en')} requests/s by the clock (answered: ${Math.round(answered).toLocaleString('en')}/s):`,
  );
  console.log(
    `  checkout p50 ${ms(checkout.p50Ms)}, p99 ${ms(checkout.p99Ms)}; purchase p50 ${ms(purchase.p50Ms)}, p99 ${ms(purchase.p99Ms)}; books ${faults.length === 0 ? 'agree' : 'VOID'}`,
  );
  console.log(
    `Warm start to ready: ${ms(median(warmStart))}; memory of all processes after the rounds: ${mib(memory)}`,
  );
  console.log(
    `Next hour's sale: first checkout ${ms(hourChange.firstMs)} after the change; ${hourChange.wronglyRefused} of ${hourChange.requests} wrongly refused`,
  );
  if (scale.length > 0) {
    const head = [
      ...['sale of', 'loaded in', 'checkouts/s', 'CPU each', ROLES.join(' + ')],
      ...['Redis per item', 'all processes'],
    ];
    const sizes = scale.map((s) => [
      s.items,
      ms(s.loadMs),
      Math.round(s.perSecond),
      `${sumCpu(s.cpuUs).toFixed(0)} µs`,
      ROLES.map((role) => s.cpuUs[role].toFixed(1)).join(' + '),
      `${Math.round(s.bytesPerItem)} B`,
      mib(s.rssBytes),
    ]);
    console.log();
    printTable([head, ...sizes]);
  }
  const all = [
    ...cases.flatMap(({ name, samples }) =>
      samples.flatMap((s) => s.faults.map((fault) => `${name}: ${fault}`)),
    ),
    ...faults,
  ];
  for (const fault of all.slice(0, 20)) console.log(`  ${fault}`);
}

/** Writes perf/results/<date>.json and latest.svg. */
export function writeResults(results: Results): void {
  const dir = new URL('perf/results/', root);
  mkdirSync(dir, { recursive: true });
  const { date, commit, cpu, cores, versions } = results.machine;
  const json = new URL(`${date.slice(0, 19).replaceAll(':', '')}.json`, dir);
  writeFileSync(json, `${JSON.stringify(results, null, 2)}\n`);
  const bars = results.cases.map(({ name, samples, perSecond, ratio }) => {
    const rates = samples.map((sample) => sample.perSecond);
    const range = [Math.min(...rates), Math.max(...rates)] as const;
    return { label: name, value: perSecond, range, note: `${ratio.toFixed(2)} × bare` };
  });
  const small = `${date.slice(0, 10)}, ${commit}, ${cores} × ${cpu}, Node ${versions.node}, load generator on the same machine; median and range of ${results.options.rounds} rounds`;
  writeFileSync(new URL('latest.svg', dir), drawBars('Requests per second', small, bars));
  console.log(`\nWritten: ${fileURLToPath(json)} and latest.svg`);
}
