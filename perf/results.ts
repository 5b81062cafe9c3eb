/** The suite's results: what they are, the machine they were taken on, and how they are shown. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { readConfig } from '../src/config.ts';
import { BARE, type Sample } from './cases.ts';
import { printTable } from './command.ts';
import type { OpenLoopResult } from './figures.ts';
import type { HourChangeResult } from './hour-change.ts';
import { ohaVersion } from './oha.ts';
import { median, ratioOf } from './ratio.ts';
import type { ScaleResult } from './scale.ts';
import { type MemoryByRole, ROLES, sumRoles } from './usage.ts';

export interface CaseResult {
  readonly name: string;
  readonly samples: readonly Sample[];
  /** Medians over the rounds; the second of what `ratiosToBare` says. */
  readonly perSecond: number;
  readonly ratio: number;
}

export interface Results {
  readonly machine: ReturnType<typeof describeMachine>;
  readonly options: { readonly seconds: number; readonly rounds: number; readonly items: number };
  readonly cases: readonly CaseResult[];
  readonly openLoop: OpenLoopResult;
  readonly scale: readonly ScaleResult[];
  /** Of the service after the rounds. */
  readonly memory: MemoryByRole;
  /** Milliseconds. */
  readonly warmStart: readonly number[];
  readonly hourChange: HourChangeResult;
}

const root = new URL('../../', import.meta.url);

/** ÷ bare, of each case: its requests per second divided by those of the bare server in the same round. */
export function ratiosToBare(cases: readonly Pick<CaseResult, 'name' | 'samples'>[]) {
  const bare = cases.find(({ name }) => name === BARE)?.samples ?? [];
  return cases.map(({ name, samples }) => ({
    name,
    ...ratioOf(samples, bare, (sample) => sample.perSecond),
  }));
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
  const ratios = ratiosToBare(cases);
  const rows = cases.map(({ name, samples, perSecond, ratio }, i) => {
    const of = (figure: (sample: Sample) => number) => median(samples.map(figure));
    const scripts = of((sample) => sample.more.redisScripts ?? Number.NaN);
    const seconds = of((sample) => sample.more.seconds ?? Number.NaN);
    const note =
      scripts >= 0 ? `${scripts.toFixed(4)} scripts each` : seconds >= 0 ? `in ${seconds.toFixed(2)} s` : '';
    const cpu = ROLES.map((role) => of((sample) => sample.cpuUs[role]));
    const cpuUs = `${of((sample) => sumRoles(sample.cpuUs)).toFixed(0)} µs`;
    const generator = of((sample) => sample.generatorCores).toFixed(2);
    const sound = samples.every((sample) => sample.faults.length === 0) ? 'agree' : 'VOID';
    const latencies = [ms(of((sample) => sample.p50Ms)), ms(of((sample) => sample.p99Ms))];
    const byRole = cpu.map((us) => us.toFixed(1)).join(' + ');
    return [
      name,
      ratio.toFixed(2),
      (ratios[i]?.range ?? []).map((each) => each.toFixed(2)).join('–'),
      Math.round(perSecond),
      ...latencies,
      cpuUs,
      byRole,
      generator,
      sound,
      note,
    ];
  });
  const head = ['', '÷ bare', 'of the rounds', 'requests/s', 'p50', 'p99', 'CPU each', ROLES.join(' + ')];
  printTable([[...head, 'generator cores', 'books', ''], ...rows]);
  console.log(
    '\n÷ bare: requests/s divided by those of the bare server in the same round; the median of the rounds.',
  );
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
    `Warm start to ready: ${ms(median(warmStart))}; memory after the rounds: ${mib(sumRoles(memory))} (${ROLES.join(' + ')}: ${ROLES.map((role) => mib(memory[role])).join(' + ')})`,
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
      `${sumRoles(s.cpuUs).toFixed(0)} µs`,
      ROLES.map((role) => s.cpuUs[role].toFixed(1)).join(' + '),
      `${Math.round(s.bytesPerItem)} B`,
      mib(s.memoryBytes),
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
