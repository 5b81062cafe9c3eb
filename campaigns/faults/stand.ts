import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../perf/service.ts';
import { type Urls, withRedis } from './dumps.ts';
import { childrenOf, isAlive, signalTo } from './processes.ts';
import { startProxy, type TcpProxy } from './proxy.ts';
import { type RedisCluster, startRedisCluster } from './redis-cluster.ts';
import { type Sentinels, startSentinels } from './sentinels.ts';
import { createService, type Service } from './service.ts';
import { type OwnedStores, startStores } from './stores.ts';
import { until } from './until.ts';

export { until } from './until.ts';

/**
 * `private`: the service brings its own Redis and Postgres. `owned`: the harness does, behind proxies.
 * `two-boxes`: two services on them. `sentinel`, `cluster`: the harness brings Redis servers with Sentinels,
 * or a Redis Cluster; the service its own Postgres.
 */
export type StandKind = 'private' | 'owned' | 'two-boxes' | 'sentinel' | 'cluster';

/** A running cluster on which faults are injected, for any number of runs. */
export interface Stand {
  readonly kind: StandKind;
  readonly dir: string;
  readonly services: readonly Service[];
  readonly stores: OwnedStores | undefined;
  readonly sentinels: Sentinels | undefined;
  readonly cluster: RedisCluster | undefined;
  /** Each service's way to Redis, in their order; none where Redis is a service's own. */
  readonly redisProxies: readonly TcpProxy[];
  /** URLs of the services that should be up. */
  urls(): string[];
  /** The databases without a proxy between. */
  direct(): Urls;
  /** The same, with the Redis that has the keys of a sale. */
  directOf(saleId: string): Promise<Urls>;
  redisPid(): number;
  postgresPid(): number;
  /** Arms the kill hooks; resolves with true when a process was killed by one. */
  killAt(point: string, count: number, waitMs: number): Promise<boolean>;
  stop(): Promise<void>;
}

export async function startStand(
  kind: StandKind,
  root: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Stand> {
  const dir = mkdtempSync(join(tmpdir(), 'flashsale-faults-'));
  chmodSync(dir, 0o755); // Postgres may run as another user
  const fault = join(dir, 'kill');
  const stores =
    kind === 'owned' || kind === 'two-boxes'
      ? await startStores(newDir(dir, 'stores'), [await freePort(), await freePort()])
      : undefined;
  const sentinels = kind === 'sentinel' ? await startSentinels(newDir(dir, 'sentinels')) : undefined;
  const cluster = kind === 'cluster' ? await startRedisCluster(newDir(dir, 'cluster'), true) : undefined;
  const hooks = fileURLToPath(new URL('kill-hooks.js', import.meta.url));
  const environment = {
    NODE_OPTIONS: `--import file://${hooks}`,
    FAULT_FILE: fault,
    ...(stores && { REDIS_URL: stores.redisUrl, DATABASE_URL: stores.databaseUrl }),
    ...(sentinels && { REDIS_URL: sentinels.url }),
    ...(cluster && { REDIS_URL: cluster.url }),
    ...env,
  };
  const services: Service[] = [];
  const redisProxies = stores ? [stores.redisProxy] : [];
  for (const name of kind === 'two-boxes' ? ['one', 'two'] : ['one']) {
    const own = stores && services.length > 0 ? await startProxy(stores.redisPort) : undefined;
    if (own) redisProxies.push(own);
    const way = own && { REDIS_URL: stores?.redisUrl.replace(/:\d+$/, `:${own.port}`) as string };
    const options = {
      root,
      dataDir: newDir(dir, name),
      port: await freePort(),
      env: { ...environment, ...way },
    };
    services.push(createService(options));
  }
  for (const service of services) await service.start();
  const first = services[0] as Service;
  const privateUrls = first.file() as Urls;
  const ownUrls = () => (first.file() as Urls | undefined) ?? privateUrls;
  const direct = () =>
    stores ? directUrls(stores) : { ...ownUrls(), ...(sentinels && { redisUrl: sentinels.master().url }) };
  const postmasterFile = join(stores ? join(dir, 'stores') : first.dataDir, 'postgres/postmaster.pid');
  const redisFile = join(stores ? join(dir, 'stores') : first.dataDir, 'redis.pid');

  return {
    kind,
    dir,
    services,
    stores,
    sentinels,
    cluster,
    redisProxies,
    urls: () => services.map(({ url }) => url),
    direct,
    async directOf(saleId) {
      return cluster ? { ...direct(), redisUrl: (await cluster.masterOf(saleId)).url } : direct();
    },
    redisPid: () => sentinels?.master().pid ?? pidIn(redisFile),
    postgresPid: () => pidIn(postmasterFile),
    async killAt(point, count, waitMs) {
      writeFileSync(fault, `${point} ${count}`);
      for (const end = Date.now() + waitMs; Date.now() < end; await sleep(10))
        if (!existsSync(fault)) return true;
      rmSync(fault, { force: true });
      return false;
    },
    async stop() {
      await Promise.all(services.map((service) => service.stop()));
      for (const proxy of redisProxies) proxy.close();
      await stores?.stop();
      await sentinels?.stop();
      await cluster?.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function newDir(parent: string, name: string): string {
  const path = join(parent, name);
  mkdirSync(path);
  return path;
}

function directUrls({ redisUrl, databaseUrl, redisPort, postgresPort }: OwnedStores): Urls {
  const at = (url: string, port: number) => url.replace(/:\d+(?=\/|$)/, `:${port}`);
  return { redisUrl: at(redisUrl, redisPort), databaseUrl: at(databaseUrl, postgresPort) };
}

function pidIn(path: string): number {
  try {
    return Number.parseInt(readFileSync(path, 'utf8'), 10);
  } catch {
    return 0;
  }
}

/** Kills Redis; resolves when one answers again. */
export async function restartRedis(stand: Stand, whileDead: () => void = () => {}): Promise<void> {
  const { stores } = stand;
  if (stores) {
    await stores.redis.kill();
    whileDead();
    await stores.redis.start();
    return;
  }
  const pid = stand.redisPid();
  signalTo(pid, 'SIGKILL');
  await until(() => !isAlive(pid), 'Redis dies');
  await until(
    () => withRedis(stand.direct().redisUrl, async (c) => (await c.ping()) === 'PONG'),
    'Redis is back',
  );
}

/** Kills Postgres, all of its processes or the first alone; resolves when the first is gone. */
export async function killPostgres(stand: Stand, signal: NodeJS.Signals): Promise<void> {
  const { stores } = stand;
  if (stores) return stores.postgres.kill(signal);
  const pid = stand.postgresPid();
  for (const each of [pid, ...(signal === 'SIGKILL' ? childrenOf(pid) : [])]) signalTo(each, signal);
  await until(() => !isAlive(pid), 'Postgres dies');
}
