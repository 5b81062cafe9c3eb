import { once } from 'node:events';
import { join } from 'node:path';
import { readConfig, readPlace } from '../config.ts';
import { openLog } from '../log.ts';
import { createSaleRoute, guardAdmin } from '../routes/admin.ts';
import type { RequestContext } from '../routes/answer.ts';
import { checkout } from '../routes/checkout.ts';
import { health } from '../routes/health.ts';
import { image } from '../routes/image.ts';
import { metrics } from '../routes/metrics.ts';
import { purchase, readReceipt } from '../routes/purchase.ts';
import { sales } from '../routes/sales.ts';
import { shards } from '../routes/shards.ts';
import { createPeers } from '../shard/peers.ts';
import { createShard } from '../shard/shard.ts';
import { openAttemptLog } from '../store/attempts.ts';
import { Overloaded, Unanswered, Unavailable } from '../store/errors.ts';
import { listItems } from '../store/items.ts';
import { openPostgres } from '../store/postgres.ts';
import { findReceipt } from '../store/receipts.ts';
import { openRedis } from '../store/redis.ts';
import { countSold, createSale, isSellable, listSales, readSaleState } from '../store/sales.ts';
import { createApp, type Handlers } from './app.ts';
import { createLiveSales } from './live-sales.ts';
import { openPrimaryLink } from './primary-link.ts';
import { createContexts, logFields, maskCodes } from './request-context.ts';
import { closeGently, createHttpServer, listenAlone } from './server.ts';
import { startSoldFeed } from './sold-feed.ts';

/** Connections of one worker to Postgres: two commits under way, and a few readers beside them. */
const CONNECTIONS_MAX = 4;
/** A million new items take Redis some ten seconds. */
const REFRESH_MS = 60_000;
const STATUS_MS = 1_000;
/** How long requests may go on after the order to drain; the primary waits a little longer. */
const DRAIN_MS = 8_000;

const config = readConfig();
const { slot, peersDir } = readPlace();
const { log, flush } = openLog(config.logLevel, `worker-${slot}`);
let draining = false;
let spoolFull = false;

const fail = (err: unknown) => {
  log.fatal({ err }, 'the worker failed');
  flush();
  process.exit(1);
};
process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);

const onStoreError = (error: unknown) => log.warn({ err: error }, 'a store failed');
const onRequestError = (context: RequestContext, error: unknown) => {
  // A store that is away, or a full queue, is no news with every request: the breaker tells it once.
  const expected = error instanceof Unavailable || error instanceof Overloaded || error instanceof Unanswered;
  log[expected ? 'debug' : 'error'](
    { ...logFields(context), path: maskCodes(context.path), err: error },
    'request failed',
  );
};

const redis = await openRedis({ url: config.redisUrl as string, patient: true, onError: onStoreError });
const postgres = await openPostgres({
  url: config.databaseUrl as string,
  connectionsMax: CONNECTIONS_MAX,
  patient: true,
  onError: onStoreError,
});
const attempts = openAttemptLog(join(config.dataDir, 'spool'), slot);
const peers = createPeers({
  dir: peersDir,
  slot,
  deadlineMs: config.shardQuestionMs,
  answer: (saleId, epoch, itemId) => shard.ownsSold(saleId, epoch, itemId),
});
const shard = createShard({
  slot,
  slots: [slot],
  ask: config.shardQuestionMs > 0 ? peers.ask : () => undefined,
});
const liveSales = createLiveSales({ redis, postgres, shard, onError: onStoreError });
const remembers = config.shard === 'on';
const feed = remembers
  ? startSoldFeed({
      redis,
      shard,
      saleIds: () => liveSales.all().map((sale) => sale.facts.id),
      onError: onStoreError,
    })
  : undefined;

let introduced = () => {};
const introduction = new Promise<void>((resolve) => {
  introduced = resolve;
});
const primary = openPrimaryLink((message) => {
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
    case 'drain':
      void drain();
      break;
  }
});

const saleRoutes = sales({
  findActive: () => liveSales.find(undefined)?.facts,
  countSold: (saleId) => countSold(redis, saleId),
  listSales: (filter) => listSales(postgres, filter),
  listItems: (page) => listItems(postgres, page),
  onError: onRequestError,
});
const healthRoutes = health({
  isPostgresUp: () => postgres.isUp,
  isRedisUp: () => redis.runId !== undefined,
  isGateOpen: async () =>
    (await Promise.all(liveSales.open().map((sale) => isSellable(redis, sale.facts)))).every(Boolean),
  isDraining: () => draining,
  workers: () => primary.ask('cluster-status', STATUS_MS).catch(() => []),
});
const handlers: Handlers = {
  checkout: checkout({
    findSale: liveSales.find,
    readSaleState: (id) => readSaleState(postgres, id, Date.now()),
    shard: remembers ? shard : { verdict: () => undefined },
    attempts,
    isLogFull: () => spoolFull,
    onError: onRequestError,
  }),
  purchase: purchase({
    findPurchases: (saleId) => liveSales.find(saleId)?.purchases,
    readSaleState: (id) => readSaleState(postgres, id, Date.now()),
    findReceipt: (code) => findReceipt(postgres, code),
    onPurchased: (context, saleId, receipt) =>
      log.info(
        { ...logFields(context), sale: saleId, bought: receipt.total_purchased, lost: receipt.failed_count },
        'purchase',
      ),
    onError: onRequestError,
  }),
  receipt: readReceipt({ findReceipt: (code) => findReceipt(postgres, code) }),
  activeSale: saleRoutes.active,
  sale: saleRoutes.one,
  sales: saleRoutes.all,
  items: saleRoutes.items,
  image,
  guardAdmin: (context, authorization) =>
    guardAdmin({ token: config.adminToken, production: config.production }, context, authorization),
  createSale: createSaleRoute({
    token: config.adminToken,
    production: config.production,
    userLimit: config.userLimit,
    createSale: (sale) => createSale(postgres, sale),
    refreshSales: async () => {
      await primary.ask('refresh-sales', REFRESH_MS);
    },
    onCreated: (context, sale, { total }) =>
      log.info({ ...logFields(context), sale, items: total }, 'sale created'),
    onError: onRequestError,
  }),
  health: healthRoutes.health,
  shards: shards({ ring: () => shard.ring, portBase: config.workerPortBase }),
  metrics: metrics({ read: () => primary.ask('metrics', STATUS_MS) }),
  live: healthRoutes.live,
  ready: healthRoutes.ready,
};

const contextOf = createContexts();
const app = createApp({ handlers, contextOf, onError: onRequestError });
const makeServer = () =>
  createHttpServer({ app, handlers, contextOf, log, onError: onRequestError, isDraining: () => draining });
const server = makeServer();
await peers.listen();
// A worker that does not know the sales would say that there are none, and that good codes are not found.
primary.send({ type: 'hello' });
await introduction;
server.listen(config.port, config.host);
await once(server, 'listening');
const ownServer =
  config.workerPortBase === undefined
    ? undefined
    : listenAlone(makeServer(), config.workerPortBase + slot, config.host);
const sendStatus = () => {
  primary.send({ type: 'status', uptimeS: process.uptime(), rssBytes: process.memoryUsage.rss() });
};
sendStatus();
const status = setInterval(sendStatus, STATUS_MS);
primary.send({ type: 'ready' });

// Ctrl-C reaches the whole process group: the primary decides when workers leave.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
// Without a primary nobody supervises, sweeps or ships: node ends a worker of its own when the primary is gone.

/** Serves what is under way, then leaves: nothing is reset, nothing is lost. */
async function drain(): Promise<void> {
  if (draining) return;
  draining = true;
  clearInterval(status);
  await Promise.all([closeGently(server, DRAIN_MS), ownServer && closeGently(ownServer, DRAIN_MS)]);
  feed?.stop();
  await peers.close();
  attempts.close();
  await Promise.allSettled([redis.close(), postgres.close()]);
  flush();
  process.exit(0);
}
