/** `npm run perf -- simulate --validate`: real sell-outs on this machine beside simulated ones. */
import { availableParallelism, cpus } from 'node:os';
import { printTable } from '../command.ts';
import { generate } from '../generator.ts';
import { makeDataDir, startService } from '../service.ts';
import { createSale, listItems } from '../shop.ts';
import { cpuOfTree, cpuPerRequest, sumRoles } from '../usage.ts';
import { COSTS, type Costs, type PerBatch } from './costs.ts';
import { simulate } from './model.ts';

const ITEMS = 10_000;
const CONNECTIONS = 200;
const WORKERS = [1, 2];
/** The first sell-out after a start is slower: V8 has not compiled the path yet. It is not counted. */
const SELL_OUTS = 4;

/** Sells out with 1 and with 2 workers, prints the median of each beside what the model says, and the error. */
export async function validate(): Promise<void> {
  const cores = availableParallelism();
  const rows: (string | number)[][] = [
    [
      'sell-out',
      'cores left',
      'real',
      'simulated',
      'error',
      'generator µs',
      'workers',
      'Redis',
      'Postgres',
      'primary',
    ],
  ];
  for (const workers of WORKERS) {
    const real = await sellOuts(workers);
    const setup = { boxes: 1, cores, workers, masters: 1, postgresCores: cores, sales: 1, items: ITEMS };
    // What others took of the cores meanwhile makes all of it slower.
    const costs = slower(COSTS, cores / real.coresLeft);
    const { soldOutS } = simulate({ ...setup, shared: true }, { connections: CONNECTIONS }, costs);
    const error = `${Math.round((soldOutS / real.seconds - 1) * 100)} %`;
    const cpu = [real.cpu.workers, real.cpu.redis, real.cpu.postgres, real.cpu.primary].map(Math.round);
    rows.push([
      ...[
        `${workers} worker${workers > 1 ? 's' : ''}`,
        real.coresLeft.toFixed(2),
        `${real.seconds.toFixed(2)} s`,
        `${soldOutS.toFixed(2)} s`,
        error,
      ],
      ...[real.generatorUs, ...cpu],
    ]);
  }
  printTable(rows);
}

/** All that takes CPU takes so many times as long. */
function slower(costs: Costs, times: number): Costs {
  const scale = (cost: number | PerBatch): number | PerBatch =>
    typeof cost === 'number' ? cost * times : { callUs: cost.callUs * times, eachUs: cost.eachUs * times };
  const scaled = Object.entries(costs).map(([name, cost]) => [name, scale(cost as number | PerBatch)]);
  const { flushUs, nearUs, farUs } = costs;
  return { ...(Object.fromEntries(scaled) as unknown as Costs), flushUs, nearUs, farUs };
}

/** Medians of the sell-outs of one service. */
async function sellOuts(workers: number) {
  const { dataDir, remove } = makeDataDir();
  const service = await startService(dataDir, { WORKERS: String(workers), HOURLY_SALES: 'off' });
  try {
    const runs: Awaited<ReturnType<typeof sellOut>>[] = [];
    for (let n = 0; n <= SELL_OUTS; n++) runs.push(await sellOut(service, `v${n}-`));
    const sorted = runs.slice(1).sort((a, b) => a.seconds - b.seconds);
    return sorted[Math.floor(sorted.length / 2)] as (typeof sorted)[number];
  } finally {
    await service.stop();
    remove();
  }
}

async function sellOut(service: { readonly url: string; readonly pid: number }, prefix: string) {
  const sale = await createSale(service.url, ITEMS, 10);
  const items = await listItems(service.url, sale.id, true);
  const crowd = { items, prefix, users: items.length, itemsPerUser: 1, connections: CONNECTIONS };
  const before = cpuOfTree(service.pid);
  const cpusBefore = cpus();
  const { record, cores } = await generate(
    { url: service.url, saleId: sale.id, ...crowd, contention: false },
    () => {},
  );
  const seconds = (record.lastMs - record.firstMs) / 1e3;
  const after = cpuOfTree(service.pid);
  const ownUs = sumRoles(after) - sumRoles(before) + cores * seconds * 1e6;
  return {
    seconds,
    /** What we used, and what nobody used. */
    coresLeft: (ownUs / 1e6 + idleS(cpusBefore, cpus())) / seconds,
    generatorUs: Math.round((cores * seconds * 1e6) / record.requests),
    cpu: cpuPerRequest(before, after, record.requests),
  };
}

const idleS = (before: ReturnType<typeof cpus>, after: ReturnType<typeof cpus>): number =>
  after.reduce((sum, { times }, n) => sum + times.idle - (before[n]?.times.idle ?? 0), 0) / 1e3;
