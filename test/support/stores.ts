import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateItems } from '../../src/goods/catalogue.ts';
import { startLocalServices } from '../../src/private/services.ts';
import type { LiveSale } from '../../src/sale.ts';
import { fenceOf, readDataset, tokenOf } from '../../src/store/fence.ts';
import { migrate } from '../../src/store/migrate.ts';
import { openPostgres, type Postgres } from '../../src/store/postgres.ts';
import { rebuildSale } from '../../src/store/rebuild.ts';
import { openRedis, type Redis } from '../../src/store/redis.ts';
import { createSale, type NewSale } from '../../src/store/sales.ts';
import { atEnd } from './at-end.ts';
import { copyTemplate } from './template.ts';

export interface Stores {
  readonly redis: Redis;
  readonly postgres: Postgres;
  readonly redisUrl: string;
  readonly databaseUrl: string;
  /** Holds the private servers' data and pid files. */
  readonly dataDir: string;
  /** Runs any SQL. */
  sql(text: string, ...values: unknown[]): Promise<Record<string, unknown>[]>;
}

/** A directory for a test's data that other users may enter; it is removed at the end of the file. */
export function temporaryDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'flashsale-test-'));
  chmodSync(dir, 0o755);
  atEnd(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** A private Redis and a private Postgres of this test file, migrated; both end with it. */
export async function openStores(): Promise<Stores> {
  const dataDir = temporaryDir();
  copyTemplate(dataDir);
  const { redisUrl, databaseUrl, stop } = await startLocalServices({
    dataDir,
    redis: true,
    postgres: true,
    redisServer: process.env.REDIS_SERVER,
    onExit: () => {},
  });
  await migrate(databaseUrl!);
  const stores = await connectStores(redisUrl!, databaseUrl!);
  atEnd(stop);
  return { ...stores, dataDir };
}

/** Connections to a Redis and a Postgres that run; closed at the end of the file. */
export async function connectStores(redisUrl: string, databaseUrl: string) {
  const redis = await openRedis({ url: redisUrl, patient: false, onError: () => {} });
  const postgres = await openPostgres({
    url: databaseUrl,
    connectionsMax: 8,
    patient: false,
    onError: () => {},
  });
  atEnd(async () => {
    await redis.close();
    await postgres.close();
  });
  const sql: Stores['sql'] = (text, ...values) => postgres.query({ name: '', text }, values);
  return { redis, postgres, redisUrl, databaseUrl, sql };
}

export interface SaleOptions {
  /** Units: as many items, unless they are named. */
  readonly items?: number;
  readonly named?: NewSale['items'];
  readonly limit?: number;
  /** Milliseconds from now. */
  readonly startsIn?: number;
  readonly endsIn?: number;
  /** Of its payment window. */
  readonly paymentSeconds?: number;
  readonly queue?: NewSale['queue'];
}

export interface TestSale extends LiveSale {
  /** Ids of its items, in their order. */
  readonly itemIds: readonly string[];
}

/** Creates a sale in Postgres, not yet in Redis. */
export async function addSale(
  { postgres }: Pick<Stores, 'postgres'>,
  options: SaleOptions = {},
): Promise<TestSale> {
  const facts = {
    startsAtMs: Date.now() + (options.startsIn ?? -1_000),
    endsAtMs: Date.now() + (options.endsIn ?? 600_000),
    total: options.items ?? 5,
    userLimit: options.limit ?? 10,
    hourly: false,
    ...(options.paymentSeconds !== undefined && { paymentSeconds: options.paymentSeconds }),
  };
  const { named, queue } = options;
  const id = (await createSale(postgres, {
    ...facts,
    ...(named && { items: named }),
    ...(queue && { queue }),
  }))!;
  const generated = generateItems(id, named?.length ?? facts.total);
  return { ...facts, id, epoch: 0, itemIds: generated.map((item, i) => named?.[i]?.id ?? item.id) };
}

/** Creates a sale in Postgres and opens it in Redis. */
export async function openSale(
  stores: Pick<Stores, 'redis' | 'postgres'>,
  options?: SaleOptions,
): Promise<TestSale> {
  const sale = await addSale(stores, options);
  const rebuilt = await rebuildSale(stores.redis, stores.postgres, sale.id, assert.fail);
  return { ...sale, epoch: rebuilt!.epoch };
}

/** What the gate of a sale says while it lets that epoch in. */
export const gateOf = async (redis: Redis, epoch: number) =>
  `${fenceOf(epoch)}:${await readDataset(redis.command)}`;

/** What it says during a rebuild of that epoch. */
export const loadingGateOf = async (redis: Redis, epoch: number) =>
  `${tokenOf(epoch)}:${await readDataset(redis.command)}`;

/** A gate of that epoch which was opened for another dataset. */
export const foreignGateOf = (epoch: number) => `${fenceOf(epoch)}:${'0'.repeat(40)}:${'0'.repeat(40)}`;
