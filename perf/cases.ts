/** What the suite measures in every round. Each case audits itself: without balanced books its figure is void. */
import { auditSale } from '../src/store/audit/audit.ts';
import { keysOf } from '../src/store/keys.ts';
import type { Redis } from '../src/store/redis.ts';
import type { Baseline } from './baseline.ts';
import { compareBooks } from './books.ts';
import type { Stores } from './command.ts';
import { generate } from './generator.ts';
import { createHistogram } from './histogram.ts';
import { type OhaResult, runOha } from './oha.ts';
import type { RecordData } from './record.ts';
import type { OwnService } from './service.ts';
import { createSale, findSale, type Goods, listItems } from './shop.ts';
import { type CpuByRole, cpuOfTree, cpuPerRequest } from './usage.ts';

/** One measurement. */
export interface Sample {
  readonly requests: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** CPU-µs per request of the server's processes, its Redis and Postgres among them. */
  readonly cpuUs: CpuByRole;
  /** CPU of the load generator, in cores. */
  readonly generatorCores: number;
  /** Further figures, such as Redis' commands per request. */
  readonly more: Readonly<Record<string, number>>;
  /** Why the figure is void; empty in a sound run. */
  readonly faults: readonly string[];
}

export interface Case {
  readonly name: string;
  run(seconds: number): Promise<Sample>;
}

export interface ShopBench {
  readonly oha: string;
  readonly service: OwnService;
  readonly stores: Stores;
  /** Items of a sell-out. */
  readonly items: number;
}

export interface Bench extends ShopBench {
  readonly bare: Baseline;
  readonly hono: Baseline;
}

/** A new user for every request: 36^12 names. */
const USER = 'u[a-z0-9]{12}';
const urlOf = (base: string, item: string, saleId: string) =>
  `${base}/checkout[?]user_id=${USER}&id=${item}&sale_id=${saleId}`;
/** Of a length with the ids of the service, so that the baseline reads requests as long. */
const ANY_ITEM = '346f14ca9c-0000';
const ANY_SALE = 'S-346f14ca9c';

export const CONNECTIONS = 200;

/** The case that every other is compared with. */
export const BARE = 'bare node:http';

/** All cases, those without a shop first. */
export function createCases(bench: Bench): Case[] {
  return [
    { name: BARE, run: (seconds) => runBaseline(bench, bench.bare, seconds) },
    { name: 'Hono', run: (seconds) => runBaseline(bench, bench.hono, seconds) },
    ...createShopCases(bench),
  ];
}

/** The cases of the service itself. */
export function createShopCases(bench: ShopBench): Case[] {
  return [
    { name: 'checkout accepted', run: (seconds) => runAccepted(bench, seconds) },
    { name: 'refused: item sold', run: (seconds) => runRefused(bench, seconds, 2) },
    { name: 'refused: sold out', run: (seconds) => runRefused(bench, seconds, 1) },
    { name: 'sell-out', run: () => runSellout(bench, bench.items) },
    { name: 'sell-out of one item', run: () => runSellout(bench, [{ ...HOT, stock: bench.items }]) },
  ];
}

async function measured(bench: ShopBench, pid: number, pattern: string, seconds: number, expected: string) {
  const before = cpuOfTree(pid);
  const result = await runOha(bench.oha, pattern, seconds);
  const cpuUs = cpuPerRequest(before, cpuOfTree(pid), result.requests);
  const { requests, perSecond, p50Ms, p99Ms, cores: generatorCores } = result;
  const figures = { requests, perSecond, p50Ms, p99Ms, cpuUs, generatorCores };
  return { result, figures, faults: unexpected(result, expected) };
}

/** Answers that the case does not expect. */
function unexpected({ statuses, errors }: OhaResult, expected: string): string[] {
  const others = Object.entries({ ...statuses, ...errors }).filter(([what]) => what !== expected);
  return others.map(([what, count]) => `${count} × ${what} instead of ${expected}`);
}

async function runBaseline(bench: Bench, { url, pid }: Baseline, seconds: number): Promise<Sample> {
  const { figures, faults } = await measured(bench, pid, urlOf(url, ANY_ITEM, ANY_SALE), seconds, '200');
  return { ...figures, more: {}, faults };
}

/** Items of the sale whose carts are counted: it takes 100 carts per item, more than any machine fills in a round. */
const ITEMS_OF_CARTS = 10_000;

/** Every user's first checkout of one unsold item: a new cart and a new code each. */
async function runAccepted(bench: ShopBench, seconds: number): Promise<Sample> {
  const { service, stores } = bench;
  const sale = await createSale(service.url, ITEMS_OF_CARTS, 10);
  const [item] = (await listItems(service.url, sale.id, true)) as [string];
  const { result, figures, faults } = await measured(
    bench,
    service.pid,
    urlOf(service.url, item, sale.id),
    seconds,
    '200',
  );
  const carts = Number(await stores.redis.command('HLEN', keysOf(sale.id).carts));
  const accepted = result.statuses['200'] ?? 0;
  if (carts !== accepted) faults.push(`${accepted} checkouts were accepted, and Redis has ${carts} carts`);
  return { ...figures, more: {}, faults: [...faults, ...(await auditFaults(bench, sale.id))] };
}

/** Checkouts of a sold item; with one item in the sale, it is sold out. */
async function runRefused(bench: ShopBench, seconds: number, items: number): Promise<Sample> {
  const { service, stores } = bench;
  const sale = await createSale(service.url, items, 10);
  const [item] = (await listItems(service.url, sale.id, true)) as [string];
  await sell(bench, sale.id, [item], 'first-');
  const before = await countScripts(stores.redis);
  const { result, figures, faults } = await measured(
    bench,
    service.pid,
    urlOf(service.url, item, sale.id),
    seconds,
    '409',
  );
  const scripts = ((await countScripts(stores.redis)) - before) / result.requests;
  return {
    ...figures,
    more: { redisScripts: scripts },
    faults: [...faults, ...(await auditFaults(bench, sale.id))],
  };
}

/** Script calls that Redis has served; a few of them are the sweeper's. */
async function countScripts(redis: Redis): Promise<number> {
  const stats = String(await redis.command('INFO', 'commandstats'));
  const calls = [...stats.matchAll(/^cmdstat_(?:evalsha|eval|fcall):calls=(\d+)/gm)];
  return calls.reduce((sum, [, count]) => sum + Number(count), 0);
}

async function sell({ service }: ShopBench, saleId: string, items: readonly string[], prefix: string) {
  const users = items.length;
  const crowd = {
    items,
    prefix,
    users,
    itemsPerUser: 1,
    connections: Math.min(CONNECTIONS, users),
    contention: false,
  };
  return generate({ url: service.url, saleId, ...crowd }, () => {});
}

/** The one that everybody wants. */
const HOT = { id: 'tee', name: 'Drop Tee' };

/** One checkout and one purchase for every unit of a sale, from the first request to the last answer. */
async function runSellout(bench: ShopBench, goods: Goods): Promise<Sample> {
  const { service, stores } = bench;
  const sale = await createSale(service.url, goods, 10);
  const listed = await listItems(service.url, sale.id, true);
  const items = typeof goods === 'number' ? listed : Array.from({ length: bench.items }, () => HOT.id);
  const before = cpuOfTree(service.pid);
  const { record, cores } = await sell(bench, sale.id, items, 'buyer-');
  const cpuUs = cpuPerRequest(before, cpuOfTree(service.pid), record.requests);
  const wallMs = record.lastMs - record.firstMs;
  const now = await findSale(service.url, sale.id);
  const faults = await compareBooks({ stores, record, prefix: 'buyer-', sale: now, soldOut: true });
  const { checkout, purchase } = latenciesOf(record);
  return {
    requests: record.requests,
    perSecond: (record.requests / wallMs) * 1_000,
    p50Ms: purchase.p50Ms,
    p99Ms: purchase.p99Ms,
    cpuUs,
    generatorCores: cores,
    more: { seconds: wallMs / 1_000, checkoutP99Ms: checkout.p99Ms, purchaseP99Ms: purchase.p99Ms },
    faults,
  };
}

/** Median and 99th percentile of checkouts and of purchases. */
export function latenciesOf({ latencies }: RecordData) {
  const both = (kind: 'checkout' | 'purchase') => {
    const histogram = createHistogram(latencies[kind]);
    return { p50Ms: histogram.percentile(0.5), p99Ms: histogram.percentile(0.99) };
  };
  return { checkout: both('checkout'), purchase: both('purchase') };
}

async function auditFaults({ stores }: ShopBench, saleId: string): Promise<string[]> {
  const differences = await auditSale(stores.redis, stores.postgres, saleId);
  return differences.map(({ check, subject, problem }) => `${check}: ${subject} ${problem}`);
}
