/** Whether the cost of a request grows with the sale: sales of several sizes, loaded, and checked out from. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isSellable, readLiveSales, createSale as storeSale } from '../src/store/sales.ts';
import type { Bench } from './cases.ts';
import { runOha } from './oha.ts';
import { type CpuByRole, cpuPerRequest, usageOfTree } from './usage.ts';

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
  /** All processes of the service afterwards, in bytes. */
  readonly rssBytes: number;
}

/** Measures one sale of each size, the smallest first. */
export async function measureScale(
  bench: Bench,
  sizes: readonly number[],
  seconds: number,
): Promise<ScaleResult[]> {
  const results: ScaleResult[] = [];
  for (const items of [...sizes].sort((a, b) => a - b))
    results.push(await measureSize(bench, items, seconds));
  return results;
}

async function measureSize(bench: Bench, items: number, seconds: number): Promise<ScaleResult> {
  const { service } = bench;
  const memoryBefore = await usedMemory(bench);
  const { saleId, loadMs } = await openSale(bench, items);
  const bytesPerItem = ((await usedMemory(bench)) - memoryBefore) / items;
  await untilRewritten(bench);
  const before = usageOfTree(service.pid);
  const url = `${service.url}/checkout[?]user_id=u[a-z0-9]{12}&id=${saleId.slice(2)}-${indexPattern(items)}&sale_id=${saleId}`;
  const { requests, perSecond } = await runOha(bench.oha, url, seconds);
  const after = usageOfTree(service.pid);
  const cpuUs = cpuPerRequest(before, after, requests);
  return { items, loadMs, cpuUs, perSecond, bytesPerItem, rssBytes: after.rssBytes };
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
