import { type Config, type Place, readConfig, readPlace } from '../config.ts';
import { createObserve } from '../http/observer.ts';
import { createRequestLog } from '../http/request-log.ts';
import { type OpenLog, openLog } from '../log.ts';
import { listEndpoints } from '../routes/list.ts';
import { createOwners } from '../store/owners.ts';
import { openDoor } from './door.ts';
import { createOnFailure } from './failures.ts';
import { createFencedCount } from './fenced.ts';
import { openMemory } from './memory.ts';
import { createWorkerMetrics } from './metrics.ts';
import { createOrders, type WorkerState } from './orders.ts';
import { openPrimaryLink } from './primary-link.ts';
import { createReporting } from './reporting.ts';
import { createServing } from './serving.ts';
import { openStores } from './stores.ts';

/** Opens everything in order and serves; when the primary tells it to drain, closes in reverse and leaves. */
async function main(config: Config, place: Place, { log, write, dropped, flush }: OpenLog): Promise<void> {
  const state: WorkerState = { draining: false, leaving: false, spoolFull: false };
  const metrics = config.metrics === 'on' ? createWorkerMetrics(place.slot) : undefined;
  const fenced = createFencedCount(log);
  const stores = await openStores(config, place, log, fenced, metrics);
  const memory = openMemory(config, place, stores, metrics, () => state.draining);
  const primary = openPrimaryLink(
    (message) => orders.obey(message),
    () => {
      log.error('the primary is silent; this worker leaves');
      orders.drain();
    },
  );

  const door = openDoor(config, primary);
  const onError = createOnFailure(log, fenced);
  const endpoints = listEndpoints({
    config,
    log,
    redis: stores.redis,
    postgres: stores.readers,
    attempts: stores.attempts,
    shard: memory.shard,
    liveSales: memory.liveSales,
    ticker: memory.ticker,
    turns: memory.turns,
    ownerOf: createOwners(stores.redis).add,
    askPrimary: primary.ask,
    isPostgresUp: () => stores.committers.isUp,
    isLogFull: () => state.spoolFull,
    isDraining: () => state.draining,
    onError,
  });
  const requestLog = createRequestLog(config, place.slot, log, write);
  const observe = createObserve(metrics ? [metrics.observe, requestLog] : [requestLog]);
  const isLeaving = () => state.leaving;
  const serving = createServing({
    config,
    slot: place.slot,
    log,
    endpoints,
    observe,
    onError,
    isLeaving,
    guard: door?.guard,
  });
  const sources = { ...stores, ...memory, serving, fenced, linesDropped: dropped, door };
  const reporting = createReporting(primary, log, metrics, sources);
  const orders = createOrders({ state, primary, memory, door, serving, reporting, leave });

  await memory.peers.listen();
  // A worker that does not know the sales would answer that there are none, and 404 to valid codes.
  primary.send({ type: 'hello' });
  await orders.introduced;
  await serving.listen();
  reporting.start();
  primary.send({ type: 'ready' });

  /** Answers the requests in flight, then exits, without a reset or a lost request. */
  async function leave(): Promise<void> {
    await serving.close();
    await memory.close();
    await stores.close();
    await reporting.last();
    await flush();
    process.exit(0);
  }
}

const config = readConfig();
const place = readPlace();
const output = openLog(config.logLevel, `worker-${place.slot}`);
const fail = (err: unknown) => {
  output.log.fatal({ err }, 'the worker failed');
  void output.flush().finally(() => process.exit(1));
};
process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);
// Ctrl-C, and a terminal that closes, reaches the whole process group: the primary decides when workers leave. Without a
// primary nobody supervises, sweeps or ships: node itself ends a worker whose primary is gone.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
await main(config, place, output);
