/** Whether the cost of a request grows with the sale: sales of several sizes, loaded, and checked out from. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isSellable, readLiveSales, createSale as storeSale } from '../src/store/sales.ts';
import type { Bench } from './cases.ts';
import { runOha } from './oha.ts';
import { type CpuByRole, cpuOfTree, cpuPerRequest, memoryOfTree, sumRoles } from './usage.ts';

const REWRITE_MS = 60_000;

export interface ScaleResult {
  readonly items: number;
  /** From the sale in Postgres to the sale open in Redis. */
  readonly loadMs: number;
  /** CPU-µs of the service's processes per accepted checkout of a random item by a new user. */
  readonly cpuUs: CpuByRole;
  readonly perSecond: number;
  /** Redis' memory for one unsold item, in bytes. */
  readonly bytesPerItem: number;
  /** All processes of the service once it and the smaller ones are loaded, in bytes. */
  /** Of all processes. */
  readonly memoryBytes: number;
}

interface Loaded extends Pick<ScaleResult, 'items' | 'loadMs' | 'bytesPerItem' | 'memoryBytes'> {
  readonly saleId: string;
}

type Sample = Pick<ScaleResult, 'cpuUs' | 'perSecond'>;

/** Loads a sale of each size, the smallest first, and checks out from them to and fro; the median of each is shown. */
export async function measureScale(
  bench: Bench,
  sizes: readonly number[],
  seconds: number,
  rounds: number,
): Promise<ScaleResult[]> {
  const sales: Loaded[] = [];
  for (const items of [...sizes].sort((a, b) => a - b)) sales.push(await load(bench, items));
  for (const sale of sales) await checkOut(bench, sale, 1);
  const samples = new Map<Loaded, Sample[]>(sales.map((sale) => [sale, []]));
  for (let round = 0; round < rounds; round++) {
    for (const sale of round % 2 === 0 ? sales : [...sales].reverse())
      samples.get(sale)?.push(await checkOut(bench, sale, seconds));
  }
  return sales.map((sale) => {
    const { saleId: _, ...figures } = sale;
    return { ...figures, ...middleOf(samples.get(sale) ?? []) };
  });
}

async function load(bench: Bench, items: number): Promise<Loaded> {
  const memoryBefore = await usedMemory(bench);
  const { saleId, loadMs } = await openSale(bench, items);
  const bytesPerItem = ((await usedMemory(bench)) - memoryBefore) / items;
  await untilRewritten(bench);
  return { saleId, items, loadMs, bytesPerItem, memoryBytes: sumRoles(memoryOfTree(bench.service.pid)) };
}

async function checkOut(
  { service, oha }: Bench,
  { saleId, items }: Loaded,
  seconds: number,
): Promise<Sample> {
  const before = cpuOfTree(service.pid);
  const url = `${service.url}/checkout[?]user_id=u[a-z0-9]{12}&id=${saleId.slice(2)}-${indexPattern(items)}&sale_id=${saleId}`;
  const { requests, perSecond } = await runOha(oha, url, seconds);
  return { cpuUs: cpuPerRequest(before, cpuOfTree(service.pid), requests), perSecond };
}

const totalOf = ({ cpuUs }: Sample) => Object.values(cpuUs).reduce((sum, us) => sum + us, 0);

/** The one whose CPU is the median of all. */
function middleOf(samples: readonly Sample[]): Sample {
  const sorted = [...samples].sort((a, b) => totalOf(a) - totalOf(b));
  return sorted[Math.floor(sorted.length / 2)] as Sample;
}

/** Straight into Postgres: a million items are more than an admin's request may carry in time. */
async function openSale({ stores: { redis, postgres } }: Bench, items: number) {
  const nowMs = Date.now();
  const times = { startsAtMs: nowMs - 1_000, endsAtMs: nowMs + 3_600_000 };
  const saleId = (await storeSale(postgres, {
    ...times,
    total: items,
    userLimit: 10,
    hourly: false,
  })) as string;
  const beganMs = performance.now();
  for (;;) {
    const sale = (await readLiveSales(postgres)).find(({ id }) => id === saleId);
    if (sale && (await isSellable(redis, sale))) return { saleId, loadMs: performance.now() - beganMs };
    await sleep(50);
  }
}

/** A large sale makes Redis rewrite its append-only file. Sales are loaded an hour ahead: that is over when they begin. */
async function untilRewritten({ stores }: Bench): Promise<void> {
  const deadlineMs = performance.now() + REWRITE_MS;
  const isRewriting = async () =>
    /^aof_rewrite_(in_progress|scheduled):1/m.test(String(await stores.redis.command('INFO', 'persistence')));
  do await sleep(1_000);
  while ((await isRewriting()) && performance.now() < deadlineMs);
}

async function usedMemory({ stores }: Bench): Promise<number> {
  const info = String(await stores.redis.command('INFO', 'memory'));
  return Number(/^used_memory:(\d+)/m.exec(info)?.[1]);
}

/** A regular expression for four base-36 digits that nearly all indices below `items`, and no others, match. */
function indexPattern(items: number): string {
  const digits = Math.max(0, items - 1)
    .toString(36)
    .padStart(4, '0');
  const first = [...digits].findIndex((digit) => digit !== '0');
  const top = Number.parseInt(digits[first] ?? '0', 36);
  const below = top <= 10 ? `[0-${Math.max(0, top - 1)}]` : `[0-9a-${(top - 1).toString(36)}]`;
  return `${'0'.repeat(Math.max(0, first))}${below}${'[0-9a-z]'.repeat(3 - first)}`;
}
