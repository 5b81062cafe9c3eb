import { once } from 'node:events';
import { join } from 'node:path';
import { readConfig, readPlace } from '../config.ts';
import { createApp } from '../http/app.ts';
import { createBalance } from '../http/balance.ts';
import { connectionsMax } from '../http/connections.ts';
import { createContexts } from '../http/context.ts';
import { createObserver } from '../http/observer.ts';
import { createRequestLog } from '../http/request-log.ts';
import { createHttpServer, listenAlone } from '../http/server.ts';
import { openLog } from '../log.ts';
import type { ToWorker } from '../messages.ts';
import { createLiveSales } from '../selling/live-sales.ts';
import { startSoldFeed } from '../selling/sold-feed.ts';
import { createPeers } from '../shard/peers.ts';
import { createShard } from '../shard/shard.ts';
import { openAttemptLog } from '../store/attempts/spool.ts';
import { Fenced } from '../store/errors.ts';
import { openPostgres } from '../store/postgres.ts';
import { openRedis } from '../store/redis.ts';
import { createFencedCount } from './fenced.ts';
import { createHandlers, createOnError } from './handlers.ts';
import { createReport, createWorkerMetrics } from './metrics.ts';
import { openPrimaryLink } from './primary-link.ts';

/** As many commits as may be under way per sale, and one more for an overlapping sale. */
const COMMITTERS = 3;
/** Listings, receipts and what the admin API asks; slow ones must not hold up commits, so they have their own. */
const READERS = 3;
/** Soon enough to even out a crowd's connections while it is still coming. */
const STATUS_MS = 250;
/** What only grows is told so often: a SIGKILL loses at most the last second of it. */
const REPORT_MS = 1_000;
/**
 * The listening socket is the primary's, and is closed once every worker has left it. A client that is asked to close
 * before that would come back at once, be queued by the kernel, and be reset unheard.
 */
const UNLISTENED_MS = 250;
/** Connections that the kernel keeps until a worker takes them: a crowd comes in one moment. Linux allows 4,096 by itself. */
const BACKLOG = 4_096;
/** How long requests may go on after the order to drain; the primary waits a little longer. */
const DRAIN_MS = 8_000;

const config = readConfig();
const { slot, peersDir, run } = readPlace();
const { log, write, dropped, flush } = openLog(config.logLevel, `worker-${slot}`);
const metrics = config.metrics === 'on' ? createWorkerMetrics(slot) : undefined;
const fenced = createFencedCount(log);
let draining = false;
let leaving = false;
let spoolFull = false;

const fail = (err: unknown) => {
  log.fatal({ err }, 'the worker failed');
  flush();
  process.exit(1);
};
process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);
// Ctrl-C, and a terminal that closes, reaches the whole process group: the primary decides when workers leave. Without a primary nobody
// supervises, sweeps or ships: node itself ends a worker whose primary is gone.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});

// Stores.
const onStoreError = (err: unknown) =>
  err instanceof Fenced ? fenced.heard(err) : log.warn({ err }, 'a store failed');
const redis = await openRedis({
  url: config.redisUrl as string,
  patient: true,
  onError: onStoreError,
  onCommand: metrics?.onCommand,
});
const database = {
  url: config.databaseUrl as string,
  patient: true,
  onError: onStoreError,
  onQuery: metrics?.onQuery,
};
const committers = await openPostgres({ ...database, connectionsMax: COMMITTERS });
const readers = await openPostgres({ ...database, connectionsMax: READERS });
const attempts = openAttemptLog(join(config.dataDir, 'spool'), slot, run);

// What this worker remembers.
const peers = createPeers({
  dir: peersDir,
  slot,
  deadlineMs: config.shardQuestionMs,
  answer: (saleId, epoch, itemId) => shard.ownsSold(saleId, epoch, itemId),
});
const ask = config.shardQuestionMs > 0 ? peers.ask : () => undefined;
const shard = createShard({ slot, slots: [slot], ask });
const liveSales = createLiveSales({
  redis,
  postgres: committers,
  shard,
  onError: onStoreError,
  onBatch: metrics?.onBatch,
});
const saleIds = () => liveSales.all().map((sale) => sale.facts.id);
const feed =
  config.shard === 'on' ? startSoldFeed({ redis, shard, saleIds, onError: onStoreError }) : undefined;

// What it serves.
let introduced = () => {};
const introduction = new Promise<void>((resolve) => {
  introduced = resolve;
});
const primary = openPrimaryLink(onMessage);
const isDraining = () => draining;
const balance = createBalance(() => shared.connections);
const isLogFull = () => spoolFull;
const isPostgresUp = () => committers.isUp && readers.isUp;
const deps = { config, log, redis, postgres: readers, attempts, shard, liveSales, primary };
const onError = createOnError(log, fenced.heard);
const handlers = createHandlers({ ...deps, isPostgresUp, isLogFull, isDraining, onError });
const contextOf = createContexts();
const requestLog = createRequestLog({
  write,
  isLevelEnabled: (level) => log.isLevelEnabled(level),
  slot,
  level: config.logRequests,
  slowMs: config.slowRequestMs,
  refusals: config.logRefusals,
});
const observer = createObserver(metrics ? [metrics.observe, requestLog] : [requestLog]);
const app = createApp({ handlers, contextOf, observer, onError });
const serverDeps = {
  ...{ app, handlers, contextOf, observer, onError },
  connectionsMax: connectionsMax(config.workerPortBase === undefined ? 1 : 2),
};
const shared = createHttpServer({ ...serverDeps, asksToClose: () => leaving || balance.takeSurplus() });
// Who calls a worker by its own port has chosen it.
const own =
  config.workerPortBase === undefined
    ? undefined
    : createHttpServer({ ...serverDeps, asksToClose: () => leaving });

// What it tells the primary of itself.
const report =
  metrics &&
  createReport(
    metrics,
    {
      redis,
      pools: [committers, readers],
      refusals: shard.refusals,
      questions: peers.counts,
      sales: liveSales.all,
      fenced: fenced.total,
      linesDropped: dropped,
      servers: own ? [shared.server, own.server] : [shared.server],
    },
    primary.sendSurely,
  );

const onReportError = (err: unknown) => log.warn({ err }, 'no metrics');

await peers.listen();
// A worker that does not know the sales would say that there are none, and that good codes are not found.
primary.send({ type: 'hello' });
await introduction;
shared.server.listen({ port: config.port, host: config.host, backlog: BACKLOG });
await once(shared.server, 'listening');
// A connection that cannot be accepted, for want of memory or files, is its client's loss, not everybody's.
shared.server.on('error', (err) => log.warn({ err }, 'a connection was not accepted'));
if (own) listenAlone(own.server, (config.workerPortBase as number) + slot, config.host);
const sendStatus = () =>
  primary.send({
    type: 'status',
    uptimeS: process.uptime(),
    rssBytes: process.memoryUsage.rss(),
    connections: shared.connections,
  });
sendStatus();
setInterval(sendStatus, STATUS_MS);
if (report) {
  const sendReport = () => void report().catch(onReportError);
  sendReport();
  setInterval(sendReport, REPORT_MS);
}
primary.send({ type: 'ready' });

function onMessage(message: Exclude<ToWorker, { type: 'answer' }>): void {
  switch (message.type) {
    case 'sales':
      liveSales.update(message.sales);
      introduced();
      primary.send({ type: 'sales-seen', version: message.version });
      break;
    case 'slots':
      shard.setSlots(message.slots);
      break;
    case 'spool-full':
      spoolFull = message.full;
      break;
    case 'fair-share':
      balance.setFairShare(message.connections);
      break;
    case 'metrics':
      report?.(message.id).catch(onReportError);
      break;
    case 'drain':
      if (!draining) void drain();
      break;
  }
}

/** Serves what is under way, then leaves: nothing is reset, nothing is lost. */
async function drain(): Promise<void> {
  draining = true;
  setTimeout(() => {
    leaving = true;
  }, UNLISTENED_MS);
  await Promise.all([shared, own].map((each) => each?.closeGently(DRAIN_MS)));
  feed?.stop();
  await peers.close();
  attempts.close();
  await Promise.allSettled([redis.close(), committers.close(), readers.close()]);
  await report?.().catch(onReportError);
  flush();
  process.exit(0);
}
