/**
 * `npm run perf`: measures the service beside the baselines, in alternating rounds;
 * prints medians and ratios, and writes perf/results/. Exit code 1 when a benchmark's books do not balance.
 */
import { parseArgs } from 'node:util';
import { startBaseline } from './baseline.ts';
import { BARE, type Bench, type Case, createCases, type Sample } from './cases.ts';
import { EXIT, openStores, readCount, runCommand } from './command.ts';
import { measureOpenLoop, measureWarmStart } from './figures.ts';
import { measureHourChange } from './hour-change.ts';
import { writeResults } from './latest.ts';
import { findOha } from './oha.ts';
import { median, ratioOf } from './ratio.ts';
import { type CaseResult, describeMachine, printCases, printResults, type Results } from './results.ts';
import { measureScale } from './scale.ts';
import { makeDataDir, startService } from './service.ts';
import { memoryOfTree } from './usage.ts';

const HELP = `npm run perf -- [options]

Measures the service beside a bare node:http cluster and Hono; takes some two
minutes. "npm run perf -- list" names the other tools of measurement.

  --rounds 3               rounds of all cases; medians are shown
  --seconds 5              of each case; the sell-out takes as long as it takes
  --items 10000            items of the sell-out
  --workers N              of the service and of both baselines
  --scale 10000,100000     also measures sales of these sizes
  --only sell-out          only cases whose name has this in it, and the bare server; writes nothing
  --no-write               writes nothing to perf/results/`;

function readOptions() {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      items: { type: 'string' },
      workers: { type: 'string' },
      scale: { type: 'string' },
      only: { type: 'string' },
      'no-write': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
  });
  return values;
}

/** Alternates the order of the cases, so that no case always follows the same one. */
async function runRounds(cases: readonly Case[], rounds: number, seconds: number): Promise<CaseResult[]> {
  const samples = new Map<string, Sample[]>(cases.map(({ name }) => [name, []]));
  // Warm up: only the first round would measure cold code.
  for (const each of cases) await each.run(1);
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? cases : [...cases].reverse();
    for (const each of order) {
      const sample = await each.run(seconds);
      samples.get(each.name)?.push(sample);
      const void_ = sample.faults.length > 0 ? `   void: ${sample.faults[0]}` : '';
      console.log(
        `round ${round + 1}: ${each.name} ${Math.round(sample.perSecond).toLocaleString('en')}/s${void_}`,
      );
    }
  }
  const bare = samples.get(BARE) ?? [];
  return [...samples].map(([name, own]) => ({
    name,
    samples: own,
    perSecond: median(own.map((sample) => sample.perSecond)),
    ratio: ratioOf(own, bare, (sample) => sample.perSecond).median,
  }));
}

async function measureAll(
  bench: Bench,
  machine: Results['machine'],
  options: ReturnType<typeof readOptions>,
): Promise<Results> {
  const seconds = readCount('seconds', options.seconds, 5);
  const rounds = readCount('rounds', options.rounds, 3);
  const cases = await runRounds(createCases(bench), rounds, seconds);
  const peak = cases.find(({ name }) => name === 'sell-out')?.perSecond ?? 0;
  const openLoop = await measureOpenLoop(bench, peak * 0.7, seconds);
  const sizes = options.scale?.split(',').map((size) => readCount('scale', size, 1)) ?? [];
  const scale = await measureScale(bench, sizes, seconds, rounds);
  const hourChange = await measureHourChange(bench);
  const memory = memoryOfTree(bench.service.pid);
  await bench.stores.close();
  await bench.service.stop();
  const warmStart = await measureWarmStart(rounds);
  return {
    machine,
    options: { seconds, rounds, items: bench.items },
    cases,
    openLoop,
    scale,
    memory,
    warmStart,
    hourChange,
  };
}

/** Measures and prints one case only. */
async function measureOnly(bench: Bench, options: ReturnType<typeof readOptions>): Promise<number> {
  const seconds = readCount('seconds', options.seconds, 5);
  const rounds = readCount('rounds', options.rounds, 3);
  const chosen = createCases(bench).filter(({ name }) => name === BARE || name.includes(options.only ?? ''));
  const cases = await runRounds(chosen, rounds, seconds);
  printCases(cases);
  return isSound(cases) ? EXIT.ok : EXIT.differs;
}

const isSound = (cases: readonly CaseResult[]) =>
  cases.every(({ samples }) => samples.every(({ faults }) => faults.length === 0));

await runCommand('perf', async () => {
  const options = readOptions();
  if (options.help) {
    console.log(HELP);
    return EXIT.ok;
  }
  const oha = findOha();
  const machine = describeMachine(oha);
  const { workers } = options;
  const { dataDir, remove } = makeDataDir();
  const service = await startService(dataDir, workers === undefined ? {} : { WORKERS: workers });
  const stores = await openStores(service);
  const count = await countWorkers(service.url);
  const [bare, hono] = await Promise.all([startBaseline('bare', count), startBaseline('hono', count)]);
  try {
    const items = readCount('items', options.items, 10_000);
    const bench = { oha, service, stores, bare, hono, items };
    if (options.only !== undefined) return await measureOnly(bench, options);
    const results = await measureAll(bench, machine, options);
    printResults(results);
    if (!options['no-write']) writeResults(results);
    return isSound(results.cases) && results.openLoop.faults.length + results.hourChange.wronglyRefused === 0
      ? EXIT.ok
      : EXIT.differs;
  } finally {
    await Promise.allSettled([stores.close(), service.stop(), bare.stop(), hono.stop()]);
    remove();
  }
});

/** The baselines have as many workers as the service. */
async function countWorkers(url: string): Promise<number> {
  // A worker is known with its first status, a second after its start.
  for (;;) {
    const health = (await (await fetch(`${url}/health`)).json()) as { workers: unknown[] };
    if (health.workers.length > 0) return health.workers.length;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
