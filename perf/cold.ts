/**
 * The first sell-out after a start beside those that follow: requests/s, and CPU of the workers per request. `npm run perf -- cold`.
 * Each start is of a service on data of its own; the first one is not counted, since the generator is cold as well.
 */
import { parseArgs } from 'node:util';
import { EXIT, readCount, runCommand } from './command.ts';
import { generate } from './generator.ts';
import { median } from './ratio.ts';
import { makeDataDir, startService } from './service.ts';
import { createSale, listItems } from './shop.ts';
import { cpuOfTree, cpuPerRequest } from './usage.ts';

const HELP = `npm run perf -- cold [options]

  --starts 5       services that are started, one more to warm the generator
  --sales 5        sell-outs of each
  --items 10000    items of a sale; each is bought by a user of its own`;

const CONNECTIONS = 200;

interface Sellout {
  readonly perSecond: number;
  /** Of the workers, in µs per request. */
  readonly cpuUs: number;
}

async function sellOut(
  service: { readonly url: string; readonly pid: number },
  items: number,
  prefix: string,
) {
  const sale = await createSale(service.url, items, 10);
  const crowd = { items: await listItems(service.url, sale.id, true), prefix, users: items, itemsPerUser: 1 };
  const before = cpuOfTree(service.pid);
  const { record } = await generate(
    { url: service.url, saleId: sale.id, ...crowd, connections: CONNECTIONS, contention: false },
    () => {},
  );
  const { workers } = cpuPerRequest(before, cpuOfTree(service.pid), record.requests);
  const perSecond = (record.requests / (record.lastMs - record.firstMs)) * 1_000;
  return { perSecond, cpuUs: workers } satisfies Sellout;
}

async function measureStart(sales: number, items: number): Promise<Sellout[]> {
  const { dataDir, remove } = makeDataDir();
  const service = await startService(dataDir);
  const measured: Sellout[] = [];
  try {
    for (let n = 0; n < sales; n++) measured.push(await sellOut(service, items, `b${n}-`));
  } finally {
    await service.stop();
    remove();
  }
  console.log(
    `ready in ${service.readyMs.toFixed(0)} ms; ` +
      measured.map(({ perSecond, cpuUs }) => `${perSecond.toFixed(0)}/s ${cpuUs.toFixed(0)} µs`).join(', '),
  );
  return measured;
}

await runCommand('perf cold', async () => {
  const { values } = parseArgs({
    options: {
      starts: { type: 'string' },
      sales: { type: 'string' },
      items: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    console.log(HELP);
    return EXIT.ok;
  }
  const starts = readCount('starts', values.starts, 5);
  const sales = readCount('sales', values.sales, 5);
  const items = readCount('items', values.items, 10_000);
  const counted: Sellout[][] = [];
  for (let n = 0; n <= starts; n++) {
    const measured = await measureStart(sales, items);
    if (n > 0) counted.push(measured);
  }
  const ratio = (of: (sellout: Sellout) => number) =>
    median(counted.map((each) => of(each[0] as Sellout) / of(each.at(-1) as Sellout))).toFixed(2);
  console.log(
    `first ÷ last, medians of ${starts}: requests/s ${ratio((s) => s.perSecond)}, CPU of workers ${ratio((s) => s.cpuUs)}`,
  );
  return EXIT.ok;
});
