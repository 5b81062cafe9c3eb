import { mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type PostgresPair, startPostgresPair } from '../../campaigns/faults/postgres-pair.ts';
import { startRedisCluster } from '../../campaigns/faults/redis-cluster.ts';
import { startSentinels } from '../../campaigns/faults/sentinels.ts';
import { createService, ROOT } from '../../campaigns/faults/service.ts';
import type { Stand } from '../../campaigns/faults/stand.ts';
import { freePort } from '../../perf/service.ts';
import { migrate } from '../../src/store/migrate.ts';
import { atEnd } from '../../test/support/at-end.ts';
import { temporaryDir } from '../../test/support/stores.ts';
import { type Behind, startBalancer } from './balancer.ts';

/** Two boxes behind a balancer, on stores that fail over: all that a large shop runs, on loopback. */
export interface Stage {
  /** As the faults of the campaign know it. */
  readonly stand: Stand;
  readonly pair: PostgresPair;
  /** Of the balancer. */
  readonly url: string;
  /** From now on the standby is the primary. */
  promoted(): void;
}

export async function startStage(redis: 'cluster' | 'sentinel'): Promise<Stage> {
  const dir = temporaryDir();
  const newDir = (name: string) => {
    mkdirSync(join(dir, name));
    return join(dir, name);
  };
  const pair = await startPostgresPair(newDir('postgres'), migrate);
  atEnd(pair.stop);
  const cluster = redis === 'cluster' ? await startRedisCluster(newDir('redis'), true) : undefined;
  const sentinels = redis === 'sentinel' ? await startSentinels(newDir('redis')) : undefined;
  atEnd(() => Promise.all([cluster?.stop(), sentinels?.stop()]));
  await pair.inStep();

  const [boxes, services] = [[] as Behind[], [] as ReturnType<typeof createService>[]];
  for (const name of ['one', 'two']) {
    const [port, base] = [await freePort(), await twoFreePorts()];
    boxes.push({ port, workerPorts: [base, base + 1] });
    const env = {
      ...{ REDIS_URL: (cluster ?? sentinels)!.url, DATABASE_URL: pair.url },
      ...{ WORKERS: '2', WORKER_PORT_BASE: String(base), HOURLY_SALES: 'off', LOG_REQUESTS: 'failures' },
    };
    const service = createService({ root: ROOT, dataDir: newDir(name), port, env });
    atEnd(service.stop);
    services.push(service);
  }
  for (const service of services) await service.start();
  let isPromoted = false;
  const direct = () => ({
    redisUrl: sentinels?.master().url ?? '',
    databaseUrl: pair.urls[isPromoted ? 1 : 0],
  });
  const stand: Stand = {
    ...{ kind: redis, dir, services, stores: undefined, sentinels, cluster, redisProxies: [] },
    urls: () => services.map(({ url }) => url),
    direct,
    directOf: async (saleId) =>
      cluster ? { ...direct(), redisUrl: (await cluster.masterOf(saleId)).url } : direct(),
    redisPid: () => sentinels?.master().pid ?? 0,
    postgresPid: () => (isPromoted ? pair.standby : pair.primary).pid,
    killAt: async () => false,
    stop: async () => {},
  };
  return {
    ...{ stand, pair, url: await startBalancer(boxes) },
    promoted() {
      isPromoted = true;
    },
  };
}

/** The first of two free ports in a row. */
async function twoFreePorts(): Promise<number> {
  for (;;) {
    const port = await freePort();
    if (await isFree(port + 1)) return port;
  }
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => resolve(!socket.destroy()));
    socket.on('error', () => resolve(true));
  });
