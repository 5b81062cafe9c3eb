/**
 * `npm run perf -- consoles`: whole sell-outs with nobody at the console, and with many, alternating in one run on one service.
 * Exit code 1 when a sell-out leaves something unsold.
 */
import { parseArgs } from 'node:util';
import { EXIT, printTable, readCount, runCommand } from './command.ts';
import { generate } from './generator.ts';
import { median, ratioOf } from './ratio.ts';
import { makeDataDir, type OwnService, startService } from './service.ts';
import { createSale, listItems } from './shop.ts';
import { cpuPerRequest, usageOfTree } from './usage.ts';

const HELP = `npm run perf -- consoles [options]

Sells sales of 10,000 items, with no console open and with 20, in turns.

  --rounds 5               sell-outs of each; medians are shown
  --consoles 20
  --items 10000`;

const CONNECTIONS = 200;
const USER_LIMIT = 10;
/** As the page of the console reads its lists. */
const LISTS = [
  'sales?limit=24',
  'admin/actions?limit=25&payments=false',
  'admin/webhooks/dead?limit=25',
] as const;
const LISTS_MS = 5_000;

interface Sample {
  readonly perSecond: number;
  readonly workersUs: number;
  readonly primaryUs: number;
}

/** Asks what an open console asks: the stream of figures, and the lists. Returns how to leave. */
function openConsole({ url }: OwnService): () => void {
  const end = new AbortController();
  const read = async (path: string) => {
    const answer = await fetch(new URL(path, url), { signal: end.signal });
    for await (const _ of answer.body ?? []) if (end.signal.aborted) return;
  };
  const follow = read('admin/live');
  const lists = async () => {
    await Promise.all(LISTS.map(read));
  };
  const timer = setInterval(() => void lists().catch(() => {}), LISTS_MS);
  Promise.all([follow, lists()]).catch(() => {});
  return () => {
    clearInterval(timer);
    end.abort();
  };
}

async function sellOut(service: OwnService, items: number, prefix: string): Promise<Sample> {
  const sale = await createSale(service.url, items, USER_LIMIT);
  const ids = await listItems(service.url, sale.id, true);
  const crowd = { items: ids, prefix, users: items, itemsPerUser: 1, connections: CONNECTIONS };
  const before = usageOfTree(service.pid);
  const { record } = await generate(
    { url: service.url, saleId: sale.id, ...crowd, contention: false },
    () => {},
  );
  const { workers, primary } = cpuPerRequest(before, usageOfTree(service.pid), record.requests);
  if (record.sold !== items) throw new Error(`${record.sold} of ${items} items were sold`);
  const perSecond = (record.requests / (record.lastMs - record.firstMs)) * 1_000;
  return { perSecond, workersUs: workers, primaryUs: primary };
}

const figures: readonly (readonly [name: string, of: (sample: Sample) => number, unit: string])[] = [
  ['requests/s', ({ perSecond }) => perSecond, ''],
  ['workers’ CPU per request', ({ workersUs }) => workersUs, ' µs'],
  ['primary’s CPU per request', ({ primaryUs }) => primaryUs, ' µs'],
];

function print(none: readonly Sample[], many: readonly Sample[], again: readonly Sample[]): void {
  const range = (own: readonly Sample[], of: (sample: Sample) => number) => {
    const { median: middle, range: bounds } = ratioOf(own, none, of);
    return [middle.toFixed(3), `${bounds[0].toFixed(2)}–${bounds[1].toFixed(2)}`];
  };
  printTable([
    ['figure', 'none', 'with consoles', '÷ none', 'range', 'none again ÷ none', 'range'],
    ...figures.map(([name, of, unit]) => [
      name,
      `${median(none.map(of)).toFixed(1)}${unit}`,
      `${median(many.map(of)).toFixed(1)}${unit}`,
      ...range(many, of),
      ...range(again, of),
    ]),
  ]);
}

await runCommand('consoles', async () => {
  const options = {
    rounds: { type: 'string' },
    consoles: { type: 'string' },
    items: { type: 'string' },
  } as const;
  const { values } = parseArgs({ options: { ...options, help: { type: 'boolean', short: 'h' } } });
  if (values.help) {
    console.log(HELP);
    return EXIT.ok;
  }
  const rounds = readCount('rounds', values.rounds, 5);
  const consoles = readCount('consoles', values.consoles, 20);
  const items = readCount('items', values.items, 10_000);
  const { dataDir, remove } = makeDataDir();
  const service = await startService(dataDir, { HOURLY_SALES: 'off', LOG_REQUESTS: 'debug' });
  // The third is like the first: its distance from 1 is the noise, and a smaller difference means nothing.
  const samples: [Sample[], Sample[], Sample[]] = [[], [], []];
  try {
    // Cold code is slower, and this is about something else.
    for (let i = 0; i < 2; i++) await sellOut(service, items, `warm${i}-`);
    for (let round = 0; round < rounds; round++)
      for (const variant of round % 2 === 0 ? ([0, 1, 2] as const) : ([2, 1, 0] as const)) {
        const open = Array.from({ length: variant === 1 ? consoles : 0 }, () => openConsole(service));
        samples[variant].push(await sellOut(service, items, `r${round}-${variant}-`));
        for (const leave of open) leave();
      }
  } finally {
    await service.stop();
    remove();
  }
  console.log(`${rounds} sell-outs of ${items} items each, with ${consoles} consoles and without:\n`);
  print(...samples);
  return EXIT.ok;
});
