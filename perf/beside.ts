/**
 * `npm run perf -- beside`: whole sell-outs with nobody beside them, with open consoles, and with shoppers who ask again and again
 * what is left, alternating in one run on one service. Exit code 1 when a sell-out leaves something unsold.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openConnection } from './client.ts';
import { EXIT, printTable, readCount, runCommand } from './command.ts';
import { median, ratioOf } from './ratio.ts';
import { type SellOut, sellOut } from './sell-out.ts';
import { makeDataDir, type OwnService, startService } from './service.ts';
import { createSale } from './shop.ts';
import { USER_LIMIT } from './target.ts';

const HELP = `npm run perf -- beside [options]

Sells sales of 10,000 items: with nobody beside, with consoles, with shoppers
who ask for a page of what is left once a second, and with nobody again.

  --rounds 5               sell-outs of each; medians are shown
  --consoles 20
  --pollers 1000
  --items 10000`;

const CONNECTIONS = 200;
const POLL_MS = 1_000;
/** As the page of the console reads its lists. */
const LISTS = [
  'sales?limit=24',
  'admin/actions?limit=25&payments=false',
  'admin/webhooks/dead?limit=25',
] as const;
const LISTS_MS = 5_000;

/** Somebody comes, and says how to leave, which throws when he was served badly. */
type Guest = (service: OwnService, saleId: string) => () => void;

/** Asks what an open console asks: the stream of figures, and the lists. */
const openConsole: Guest = ({ url }) => {
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
};

/** Asks for the first page of what is left, some time within the first second and once a second then. */
const poll: Guest = ({ url }, saleId) => {
  const connection = openConnection(url);
  let isHere = true;
  let failure: unknown;
  const ask = async () => {
    await sleep(Math.random() * POLL_MS);
    while (isHere) {
      const beganMs = performance.now();
      const { status } = await connection.request('GET', `/sales/${saleId}/items?available=true`);
      if (status !== 200) throw new Error(`a page of what is left was answered ${status}`);
      await sleep(Math.max(0, POLL_MS - (performance.now() - beganMs)));
    }
  };
  ask().catch((error: unknown) => {
    failure = error;
  });
  return () => {
    isHere = false;
    connection.close();
    if (failure) throw failure;
  };
};

async function sellOutBeside(
  service: OwnService,
  items: number,
  prefix: string,
  guests: readonly Guest[],
): Promise<SellOut> {
  const { id: saleId } = await createSale(service.url, items, USER_LIMIT);
  const leave = guests.map((guest) => guest(service, saleId));
  // They are connected, and spread over their second.
  if (guests.length > 0) await sleep(POLL_MS);
  const { figures } = await sellOut(service, { saleId, prefix, connections: CONNECTIONS });
  for (const each of leave) each();
  if (figures.sold !== items) throw new Error(`${figures.sold} of ${items} items were sold`);
  return figures;
}

const FIGURES: readonly (readonly [name: string, of: (each: SellOut) => number, unit: string])[] = [
  ['requests/s', ({ perSecond }) => perSecond, ''],
  ['p50 of purchases', ({ purchase }) => purchase.p50Ms, ' ms'],
  ['workers’ CPU per request', ({ cpuUs }) => cpuUs.workers, ' µs'],
  ['primary’s CPU per request', ({ cpuUs }) => cpuUs.primary, ' µs'],
];

function print(none: readonly SellOut[], others: ReadonlyMap<string, readonly SellOut[]>): void {
  const compare = (own: readonly SellOut[], of: (each: SellOut) => number) => {
    const { median: middle, range } = ratioOf(own, none, of);
    return `${middle.toFixed(3)} (${range[0].toFixed(2)}–${range[1].toFixed(2)})`;
  };
  printTable([
    ['', 'nobody', ...[...others.keys()].map((name) => `${name} ÷ nobody`)],
    ...FIGURES.map(([name, of, unit]) => [
      name,
      `${median(none.map(of)).toFixed(1)}${unit}`,
      ...[...others.values()].map((own) => compare(own, of)),
    ]),
  ]);
}

await runCommand('beside', async () => {
  const options = {
    rounds: { type: 'string' },
    consoles: { type: 'string' },
    pollers: { type: 'string' },
    items: { type: 'string' },
  } as const;
  const { values } = parseArgs({ options: { ...options, help: { type: 'boolean', short: 'h' } } });
  if (values.help) {
    console.log(HELP);
    return EXIT.ok;
  }
  const rounds = readCount('rounds', values.rounds, 5);
  const consoles = readCount('consoles', values.consoles, 20);
  const pollers = readCount('pollers', values.pollers, 1_000);
  const items = readCount('items', values.items, 10_000);
  const { dataDir, remove } = makeDataDir();
  const service = await startService(dataDir, { HOURLY_SALES: 'off', LOG_REQUESTS: 'debug' });
  const cases: readonly { name: string; guests: readonly Guest[]; samples: SellOut[] }[] = [
    { name: 'nobody', guests: [], samples: [] },
    { name: `${consoles} consoles`, guests: Array(consoles).fill(openConsole), samples: [] },
    { name: `${pollers} pollers`, guests: Array(pollers).fill(poll), samples: [] },
    // Like the first: its distance from 1 is the noise, and a smaller difference means nothing.
    { name: 'nobody again', guests: [], samples: [] },
  ];
  try {
    // Cold code is slower, and this is about something else.
    for (let i = 0; i < 2; i++) await sellOutBeside(service, items, `warm${i}-`, []);
    for (let round = 0; round < rounds; round++)
      for (const each of round % 2 === 0 ? cases : cases.toReversed())
        each.samples.push(
          await sellOutBeside(service, items, `r${round}-${cases.indexOf(each)}-`, each.guests),
        );
  } finally {
    await service.stop();
    remove();
  }
  const [nobody, ...others] = cases;
  console.log(`Medians of ${rounds} sell-outs of ${items} items each, and the range of the rounds:\n`);
  print(nobody?.samples ?? [], new Map(others.map(({ name, samples }) => [name, samples])));
  return EXIT.ok;
});
