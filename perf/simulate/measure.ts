/**
 * `npm run perf -- simulate --measure`: what one operation costs Redis and Postgres, by the size of its batch, on private servers. The
 * figures of `costs.ts` come from here.
 */
import { readConfig } from '../../src/config.ts';
import { startLocalServices } from '../../src/private/services.ts';
import { createCheckouts } from '../../src/store/checkouts.ts';
import { migrate } from '../../src/store/migrate.ts';
import { createPurchases } from '../../src/store/purchases.ts';
import { rebuildSale } from '../../src/store/rebuild.ts';
import { createSale, readLiveSales } from '../../src/store/sales.ts';
import { openStores, printTable, type Stores } from '../command.ts';
import { makeDataDir } from '../service.ts';
import { cpuOfTree } from '../usage.ts';

const BATCHES = [1, 4, 16, 64, 256];
/** Operations of each kind and size of batch; CPU time is told in hundredths of a second. */
const OPS = 6_000;
const HOUR_MS = 3_600_000;

interface Cost {
  readonly ms: number;
  /** Of this process, which is what a worker is without HTTP. */
  readonly nodeUs: number;
  readonly redisUs: number;
  readonly postgresUs: number;
  readonly redisBytes: number;
  readonly walBytes: number;
}

/** Measures, prints, and removes what it made. */
export async function measureCosts(): Promise<void> {
  const { dataDir, remove } = makeDataDir();
  // A Cluster to compare with, or whatever else is to be measured.
  const { redisUrl } = readConfig();
  const local = await startLocalServices({
    ...{
      dataDir,
      redis: redisUrl === undefined,
      postgres: true,
      redisServer: process.env.REDIS_SERVER,
      onExit: () => {},
    },
  });
  try {
    const urls = {
      redisUrl: redisUrl ?? (local.redisUrl as string),
      databaseUrl: local.databaseUrl as string,
    };
    await migrate(urls.databaseUrl);
    const stores = await openStores(urls);
    const rows: (string | number)[][] = [];
    for (const batch of BATCHES) {
      const [checkouts, purchases] = await measureBatch(stores, batch);
      for (const [name, cost] of [
        ['checkout', checkouts],
        ['purchase', purchases],
      ] as const)
        rows.push([
          ...[
            name,
            batch,
            cost.ms.toFixed(2),
            cost.nodeUs.toFixed(1),
            cost.redisUs.toFixed(1),
            cost.postgresUs.toFixed(1),
          ],
          ...[Math.round(cost.redisBytes), Math.round(cost.walBytes)],
        ]);
    }
    const head = [
      'operation',
      'batch',
      'ms per batch',
      'node µs',
      'Redis µs',
      'Postgres µs',
      'Redis bytes',
      'WAL bytes',
    ];
    printTable([head, ...rows.sort((a, b) => String(a[0]).localeCompare(String(b[0])))]);
    await stores.close();
  } finally {
    await local.stop();
    remove();
  }
}

async function measureBatch(stores: Stores, batch: number): Promise<[checkouts: Cost, purchases: Cost]> {
  const { redis, postgres } = stores;
  const now = Date.now();
  const times = { startsAtMs: now - 1_000, endsAtMs: now + HOUR_MS };
  const sale = { ...times, total: OPS, userLimit: 10, hourly: false };
  const id = (await createSale(postgres, sale)) as string;
  await rebuildSale(redis, postgres, id, () => {});
  const live = (await readLiveSales(postgres)).find((each) => each.id === id)!;
  const text = 'select id from items where sale_id = $1 order by position';
  const items = await postgres.query<{ id: string }>({ name: '', text }, [id]);
  const checkouts = createCheckouts(redis, () => live);
  const purchases = createPurchases({ redis, postgres, sale: () => live, onError: () => {} });
  const codes: string[] = [];
  const added = await costOf(stores, batch, async (from) => {
    const part = items.slice(from, from + batch);
    const results = await Promise.all(
      part.map(({ id: itemId }, n) => checkouts.add({ userId: `u${batch}-${from + n}`, itemId })),
    );
    codes.push(...results.map(({ code }) => code as string));
  });
  const bought = await costOf(stores, batch, async (from) => {
    await Promise.all(codes.slice(from, from + batch).map((code) => purchases.add(code)));
  });
  return [added, bought];
}

/** Per operation, of batches that come one after the other. */
async function costOf(
  { redis, postgres }: Stores,
  batch: number,
  run: (from: number) => Promise<void>,
): Promise<Cost> {
  const look = async () => {
    const infos = (await redis.commandAll('INFO', 'everything')).map(String);
    const field = (name: string) =>
      infos.reduce((sum, info) => sum + Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)?.[1]), 0);
    const text = `select pg_current_wal_insert_lsn() - '0/0' as wal`;
    const [row] = await postgres.query<{ wal: string }>({ name: '', text });
    const { user, system } = process.cpuUsage();
    return {
      nodeUs: user + system,
      redisUs: (field('used_cpu_user') + field('used_cpu_sys')) * 1e6,
      redisBytes: field('total_net_input_bytes') + field('total_net_output_bytes'),
      postgresUs: cpuOfTree(process.pid).postgres,
      walBytes: Number(row?.wal),
    };
  };
  const before = await look();
  const beganMs = performance.now();
  for (let from = 0; from < OPS; from += batch) await run(from);
  const ms = (performance.now() - beganMs) / Math.ceil(OPS / batch);
  const after = await look();
  const per = (key: keyof typeof after) => (after[key] - before[key]) / OPS;
  return {
    ms,
    nodeUs: per('nodeUs'),
    redisUs: per('redisUs'),
    postgresUs: per('postgresUs'),
    redisBytes: per('redisBytes'),
    walBytes: per('walBytes'),
  };
}
