/**
 * `npm run perf -- overload`: more customers than the service can serve. Measures its peak with customers who wait for their
 * answers, then lets customers come by the clock at that rate and at a multiple of it. Exit code 1 when the books
 * differ, an attempt is not in the log, or an operations route is not answered.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { compareBooks } from './books.ts';
import { openConnection } from './client.ts';
import { EXIT, openStores, printTable, readCount, runCommand, type Stores } from './command.ts';
import { generate } from './generator.ts';
import { createHistogram, type Histogram } from './histogram.ts';
import { runOpenLoop } from './open-loop.ts';
import { createRecorder, type Kind, type Recorder } from './record.ts';
import { makeDataDir, type OwnService, startService } from './service.ts';
import { createSale, findSale, listItems } from './shop.ts';

const HELP = `npm run perf -- overload [options]

More customers than a service of its own can serve: its peak is measured, then
customers come by the clock at that rate, and at a multiple of it.

  --seconds 8              of each rate
  --times 2                the multiple`;

const PREFIX = 'crowd-';
const PEAK_ITEMS = 15_000;
const PEAK_CONNECTIONS = 200;
/** Each customer of the crowd has a connection, so that requests wait in the service. */
const CROWD_CONNECTIONS = 2_000;
const WATCHED = ['/livez', '/readyz', '/metrics', '/health'];
const WATCH_MS = 100;
/** Attempts are in Postgres some two seconds after they were made. */
const SHIPPED_MS = 4_000;

interface Crowd {
  readonly recorder: Recorder;
  readonly served: Record<Kind, Histogram>;
  readonly refused: Histogram;
}

/** Keeps the latencies of served and refused requests apart. */
function createCrowd(): Crowd {
  const plain = createRecorder();
  const served = { checkout: createHistogram(), purchase: createHistogram(), browse: createHistogram() };
  const refused = createHistogram();
  const answered: Recorder['answered'] = (kind, status, beganMs) => {
    plain.answered(kind, status, beganMs);
    const to = status === '200' ? served[kind] : status.startsWith('503') ? refused : undefined;
    to?.add(performance.now() - beganMs);
  };
  return { recorder: { ...plain, answered }, served, refused };
}

/** Asks the operations routes until it is stopped; returns what was not 200, and the slowest answer in ms. */
function watch(url: string) {
  let stopped = false;
  let slowestMs = 0;
  const failures: string[] = [];
  const done = Promise.all(
    WATCHED.map(async (path) => {
      const connection = openConnection(url);
      while (!stopped) {
        const beganMs = performance.now();
        const { status } = await connection.request('GET', path);
        slowestMs = Math.max(slowestMs, performance.now() - beganMs);
        if (status !== 200) failures.push(`${path} was answered ${status}`);
        await sleep(WATCH_MS);
      }
      connection.close();
    }),
  );
  return {
    async stop() {
      stopped = true;
      await done;
      return { failures, slowestMs };
    },
  };
}

/** Customers per second of a closed loop. */
async function measurePeak(url: string): Promise<number> {
  const { id: saleId } = await createSale(url, PEAK_ITEMS, 10);
  const items = await listItems(url, saleId, true);
  const crowd = { items, prefix: PREFIX, users: items.length, itemsPerUser: 1 };
  const { record } = await generate(
    { url, saleId, ...crowd, connections: PEAK_CONNECTIONS, contention: false },
    () => {},
  );
  return (record.sold / (record.lastMs - record.firstMs)) * 1_000;
}

async function measureAt(service: OwnService, stores: Stores, perSecond: number, seconds: number) {
  const { url } = service;
  const { id: saleId } = await createSale(url, Math.ceil(perSecond * seconds), 10);
  const items = await listItems(url, saleId, true);
  const { recorder, served, refused } = createCrowd();
  const watching = watch(url);
  const crowd = { prefix: PREFIX, perSecond, once: true, connections: CROWD_CONNECTIONS };
  await runOpenLoop({ url, saleId, items, ...crowd }, recorder);
  const { failures, slowestMs } = await watching.stop();
  await sleep(SHIPPED_MS);
  const sale = await findSale(url, saleId);
  const { data } = recorder;
  const faults = await compareBooks({ stores, record: data, prefix: PREFIX, sale, soldOut: false });
  faults.push(...failures, ...(await unlogged(stores, saleId, data.statuses)));
  const sold = data.sold / ((data.lastMs - data.firstMs) / 1_000);
  return { sold, served, refused, statuses: data.statuses, slowestMs, faults };
}

/** Every checkout that was answered is in the log. */
async function unlogged(stores: Stores, saleId: string, statuses: ReadonlyMap<string, number>) {
  const answered = [...statuses]
    .filter(([what]) => /^checkout \d/.test(what))
    .reduce((sum, [, n]) => sum + n, 0);
  const text = 'select count(*)::int as n from checkout_attempts where sale_id = $1';
  const [row] = await stores.postgres.query({ name: '', text }, [saleId]);
  const logged = Number(row?.n);
  return logged < answered ? [`${answered} checkouts were answered, and ${logged} are in the log`] : [];
}

await runCommand('overload', async () => {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string' },
      times: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    console.log(HELP);
    return EXIT.ok;
  }
  const seconds = readCount('seconds', values.seconds, 8);
  const times = readCount('times', values.times, 2);
  const { dataDir, remove } = makeDataDir();
  const service = await startService(dataDir);
  const stores = await openStores(service);
  try {
    await measurePeak(service.url);
    const peak = await measurePeak(service.url);
    console.log(`peak: ${Math.round(peak)} customers/s, ${PEAK_CONNECTIONS} connections`);
    const rows: (string | number)[][] = [
      ['customers/s', 'sold/s', '÷ peak', 'checkout p99', 'purchase p99', '503', '503 p99', 'slowest ops'],
    ];
    const faults: string[] = [];
    const ms = (value: number) => `${Math.round(value)} ms`;
    for (const perSecond of [peak, times * peak]) {
      const at = await measureAt(service, stores, perSecond, seconds);
      rows.push([
        Math.round(perSecond),
        Math.round(at.sold),
        (at.sold / peak).toFixed(2),
        ms(at.served.checkout.percentile(0.99)),
        ms(at.served.purchase.percentile(0.99)),
        at.refused.data.total,
        ms(at.refused.percentile(0.99)),
        ms(at.slowestMs),
      ]);
      console.log([...at.statuses].map(([what, n]) => `${what} × ${n}`).join(', '));
      faults.push(...at.faults);
    }
    printTable(rows);
    for (const fault of faults.slice(0, 20)) console.log(`FAULT: ${fault}`);
    return faults.length === 0 ? EXIT.ok : EXIT.differs;
  } finally {
    await stores.close();
    await service.stop();
    remove();
  }
});
