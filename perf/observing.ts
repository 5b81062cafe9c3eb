/**
 * `npm run perf -- observing`: what metrics and the log cost, measured on and off in one run, in alternating rounds.
 * Exit code 1 when a benchmark's books do not balance.
 */
import { parseArgs } from 'node:util';
import { createShopCases, type Sample } from './cases.ts';
import { EXIT, openStores, printTable, readCount, runCommand } from './command.ts';
import { findOha } from './oha.ts';
import { median, ratioOf } from './ratio.ts';
import { describeMachine } from './results.ts';
import { makeDataDir, startService } from './service.ts';

const HELP = `npm run perf -- observing [options]

Measures refusals and accepted checkouts with metrics and request lines on and off.

  --rounds 3               rounds of all variants; medians are shown
  --seconds 3              of each measurement
  --workers N`;

/** Lines go to a file. */
const VARIANTS: readonly (readonly [name: string, env: Readonly<Record<string, string>>])[] = [
  ['nothing', { METRICS: 'off', LOG_REQUESTS: 'debug' }],
  ['metrics', { METRICS: 'on', LOG_REQUESTS: 'debug' }],
  ['lines', { METRICS: 'off', LOG_REQUESTS: 'info' }],
  ['lines, 1 % of refusals', { METRICS: 'off', LOG_REQUESTS: 'info', LOG_REFUSALS: '0.01' }],
  // The same as the first: its distance from 1 is the noise, and smaller differences mean nothing.
  ['nothing, again', { METRICS: 'off', LOG_REQUESTS: 'debug' }],
  ['both', { METRICS: 'on', LOG_REQUESTS: 'info' }],
];
const CASES = ['checkout accepted', 'refused: item sold'];

async function openVariant(name: string, env: Readonly<Record<string, string>>, oha: string) {
  const { dataDir, remove } = makeDataDir();
  const service = await startService(dataDir, env);
  const stores = await openStores(service);
  const cases = createShopCases({ oha, service, stores, items: 1 });
  return {
    name,
    cases: cases.filter((each) => CASES.includes(each.name)),
    samples: new Map<string, Sample[]>(CASES.map((each) => [each, []])),
    async close() {
      await stores.close();
      await service.stop();
      remove();
    },
  };
}

await runCommand('observing', async () => {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      workers: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    console.log(HELP);
    return EXIT.ok;
  }
  const rounds = readCount('rounds', values.rounds, 3);
  const seconds = readCount('seconds', values.seconds, 3);
  const oha = findOha();
  const { commit, cores, cpu } = describeMachine(oha);
  const variants: Awaited<ReturnType<typeof openVariant>>[] = [];
  try {
    for (const [name, env] of VARIANTS) {
      const workers: Record<string, string> = values.workers === undefined ? {} : { WORKERS: values.workers };
      variants.push(await openVariant(name, { ...workers, ...env }, oha));
    }
    for (const { cases } of variants) for (const each of cases) await each.run(1);
    for (let round = 0; round < rounds; round++) {
      for (const { cases, samples } of round % 2 === 0 ? variants : [...variants].reverse()) {
        for (const each of cases) samples.get(each.name)?.push(await each.run(seconds));
      }
    }
  } finally {
    await Promise.allSettled(variants.map((variant) => variant.close()));
  }
  const all = variants.map(({ name, samples }) => [name, samples] as const);
  console.log(
    `${commit}, ${cores} × ${cpu}; medians of ${rounds} rounds of ${seconds} s, ratios within each round\n`,
  );
  printTable([
    ['on', ...CASES.flatMap((each) => [each, '÷ nothing', 'workers’ CPU', '÷ nothing'])],
    ...rowsOf(all),
  ]);
  const faults = all.flatMap(([, samples]) =>
    [...samples.values()].flat().flatMap((sample) => sample.faults),
  );
  for (const fault of faults.slice(0, 20)) console.log(`  ${fault}`);
  return faults.length === 0 ? EXIT.ok : EXIT.differs;
});

function rowsOf(
  variants: readonly (readonly [string, ReadonlyMap<string, Sample[]>])[],
): (string | number)[][] {
  const nothing = variants[0]?.[1];
  return variants.map(([name, samples]) => [
    name,
    ...CASES.flatMap((each) => {
      const own = samples.get(each) ?? [];
      const base = nothing?.get(each) ?? [];
      const ratio = (of: (sample: Sample) => number) => ratioOf(own, base, of).median.toFixed(3);
      const [perSecond, cpuUs] = [(s: Sample) => s.perSecond, (s: Sample) => s.cpuUs.workers];
      return [
        `${Math.round(median(own.map(perSecond)))}/s`,
        ratio(perSecond),
        `${median(own.map(cpuUs)).toFixed(1)} µs`,
        ratio(cpuUs),
      ];
    }),
  ]);
}
