import { type Config, type Place, readConfig, readPlace } from '../config.ts';
import { createObserve } from '../http/observer.ts';
import { createRequestLog } from '../http/request-log.ts';
import { type OpenLog, openLog } from '../log.ts';
import type { ToWorker } from '../messages.ts';
import { listEndpoints } from '../routes/list.ts';
import { createOnFailure } from './failures.ts';
import { createFencedCount } from './fenced.ts';
import { openMemory } from './memory.ts';
import { createWorkerMetrics } from './metrics.ts';
import { openPrimaryLink } from './primary-link.ts';
import { type Reporting, startReporting } from './reporting.ts';
import { createServing } from './serving.ts';
import { openStores } from './stores.ts';

/**
 * The listening socket is the primary's, and is closed once every worker has left it. A client that is asked to close
 * before that would come back at once, be queued by the kernel, and be reset unheard.
 */
const UNLISTENED_MS = 250;

/** Opens everything in order and serves; when the primary tells it to drain, closes in reverse and leaves. */
async function main(config: Config, place: Place, { log, write, dropped, flush }: OpenLog): Promise<void> {
  let draining = false;
  let leaving = false;
  let spoolFull = false;
  let reporting: Reporting | undefined;
  const metrics = config.metrics === 'on' ? createWorkerMetrics(place.slot) : undefined;
  const fenced = createFencedCount(log);
  const stores = await openStores(config, place, log, fenced, metrics);
  const { redis, committers, readers, attempts } = stores;
  const memory = openMemory(config, place, stores, metrics);
  const { shard, liveSales, peers } = memory;

  let introduce = () => {};
  const introduced = new Promise<void>((resolve) => {
    introduce = resolve;
  });
  const primary = openPrimaryLink(onMessage);
  const onError = createOnFailure(log, fenced);
  const endpoints = listEndpoints({
    config,
    log,
    redis,
    postgres: readers,
    attempts,
    shard,
    liveSales,
    onError,
    askPrimary: primary.ask,
    isPostgresUp: () => committers.isUp && readers.isUp,
    isLogFull: () => spoolFull,
    isDraining: () => draining,
  });
  const requestLog = createRequestLog({
    write,
    isLevelEnabled: (level) => log.isLevelEnabled(level),
    slot: place.slot,
    level: config.logRequests,
    slowMs: config.slowRequestMs,
    refusals: config.logRefusals,
  });
  const observe = createObserve(metrics ? [metrics.observe, requestLog] : [requestLog]);
  const isLeaving = () => leaving;
  const serving = createServing({ config, slot: place.slot, log, endpoints, observe, onError, isLeaving });

  await peers.listen();
  // A worker that does not know the sales would say that there are none, and that good codes are not found.
  primary.send({ type: 'hello' });
  await introduced;
  await serving.listen();
  reporting = startReporting({
    primary,
    log,
    metrics,
    connections: serving.connections,
    sources: {
      redis,
      pools: [committers, readers],
      refusals: shard.refusals,
      questions: peers.counts,
      sales: liveSales.all,
      fenced: fenced.total,
      linesDropped: dropped,
      servers: serving.servers.map(({ server }) => server),
    },
  });
  primary.send({ type: 'ready' });

  function onMessage(message: Exclude<ToWorker, { type: 'answer' }>): void {
    switch (message.type) {
      case 'sales':
        liveSales.update(message.sales);
        introduce();
        primary.send({ type: 'sales-seen', version: message.version });
        break;
      case 'slots':
        shard.setSlots(message.slots);
        break;
      case 'spool-full':
        spoolFull = message.full;
        break;
      case 'fair-share':
        serving.balance.setFairShare(message.connections);
        break;
      case 'metrics':
        reporting?.answer(message.id);
        break;
      case 'drain':
        if (!draining) void drain();
    }
  }

  /** Serves what is under way, then leaves: nothing is reset, nothing is lost. */
  async function drain(): Promise<void> {
    draining = true;
    setTimeout(() => {
      leaving = true;
    }, UNLISTENED_MS);
    await serving.close();
    await memory.close();
    await stores.close();
    await reporting?.last();
    flush();
    process.exit(0);
  }
}

const config = readConfig();
const place = readPlace();
const output = openLog(config.logLevel, `worker-${place.slot}`);
const fail = (err: unknown) => {
  output.log.fatal({ err }, 'the worker failed');
  output.flush();
  process.exit(1);
};
process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);
// Ctrl-C, and a terminal that closes, reaches the whole process group: the primary decides when workers leave. Without a
// primary nobody supervises, sweeps or ships: node itself ends a worker whose primary is gone.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
await main(config, place, output);
