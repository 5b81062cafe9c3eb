/**
 * The first sell-out after a start beside those that follow: requests/s, and CPU of the workers per request. `npm run perf -- cold`.
 * Each start is of a service on data of its own; the first one is not counted, since the generator is cold as well.
 */
import { parseArgs } from 'node:util';
import { EXIT, readCount, runCommand } from './command.ts';
import { median } from './ratio.ts';
import { type SellOut, sellOut } from './sell-out.ts';
import { makeDataDir, startService } from './service.ts';
import { createSale } from './shop.ts';
import { USER_LIMIT } from './target.ts';

const HELP = `npm run perf -- cold [options]

  --starts 5       services that are started, one more to warm the generator
  --sales 5        sell-outs of each
  --items 10000    items of a sale; each is bought by a user of its own`;

const CONNECTIONS = 200;

async function measureStart(sales: number, items: number): Promise<SellOut[]> {
  const { dataDir, remove } = makeDataDir();
  const service = await startService(dataDir);
  const measured: SellOut[] = [];
  try {
    for (let n = 0; n < sales; n++) {
      const { id: saleId } = await createSale(service.url, items, USER_LIMIT);
      const crowd = { saleId, prefix: `b${n}-`, connections: CONNECTIONS };
      measured.push((await sellOut(service, crowd)).figures);
    }
  } finally {
    await service.stop();
    remove();
  }
  console.log(
    `ready in ${service.readyMs.toFixed(0)} ms; ` +
      measured
        .map(({ perSecond, cpuUs }) => `${perSecond.toFixed(0)}/s ${cpuUs.workers.toFixed(0)} µs`)
        .join(', '),
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
  const counted: SellOut[][] = [];
  for (let n = 0; n <= starts; n++) {
    const measured = await measureStart(sales, items);
    if (n > 0) counted.push(measured);
  }
  const ratio = (of: (each: SellOut) => number) =>
    median(counted.map((each) => of(each[0] as SellOut) / of(each.at(-1) as SellOut))).toFixed(2);
  console.log(
    `first ÷ last, medians of ${starts}: requests/s ${ratio((s) => s.perSecond)}, CPU of workers ${ratio((s) => s.cpuUs.workers)}`,
  );
  return EXIT.ok;
});
