import type { Config } from '../config.ts';
import type { RequestContext } from '../http/answer.ts';
import type { Handlers } from '../http/app.ts';
import { logFields, maskCodes } from '../http/context.ts';
import type { Log } from '../log.ts';
import { createSaleRoute, guardAdmin } from '../routes/admin.ts';
import { checkout } from '../routes/checkout.ts';
import { documents } from '../routes/documents.ts';
import { health } from '../routes/health.ts';
import { image } from '../routes/image.ts';
import { metrics } from '../routes/metrics.ts';
import { purchase, readReceipt } from '../routes/purchase.ts';
import { sales } from '../routes/sales.ts';
import { shards } from '../routes/shards.ts';
import type { LiveSales } from '../selling/live-sales.ts';
import type { Shard } from '../shard/shard.ts';
import type { AttemptLog } from '../store/attempts/spool.ts';
import { Fenced, Overloaded, Unanswered, Unavailable } from '../store/errors.ts';
import { listItems } from '../store/items.ts';
import type { Postgres } from '../store/postgres.ts';
import { findReceipt } from '../store/receipts.ts';
import type { Redis } from '../store/redis.ts';
import { countSold, createSale, isSellable, listSales, readStanding } from '../store/sales.ts';
import { VERSION } from '../version.ts';
import type { PrimaryLink } from './primary-link.ts';

/** A million new items take Redis some ten seconds. */
const REFRESH_MS = 60_000;
const STATUS_MS = 1_000;
/** The primary waits for workers and stores for half a second. */
const METRICS_MS = 2_000;

export interface HandlersDeps {
  readonly config: Config;
  readonly log: Log;
  readonly redis: Redis;
  /** Connections for reading; those that commit purchases are others. */
  readonly postgres: Postgres;
  readonly attempts: AttemptLog;
  readonly shard: Shard;
  readonly liveSales: LiveSales;
  readonly primary: PrimaryLink;
  /** Whether both kinds of connections to Postgres work, as far as is known. */
  readonly isPostgresUp: () => boolean;
  readonly isLogFull: () => boolean;
  readonly isDraining: () => boolean;
  readonly onError: (context: RequestContext, error: unknown) => void;
}

/** Says what a request has met. A store that is away, or a full queue, is no news with every request. */
export function createOnError(log: Log, onFenced: (error: Fenced) => void) {
  return (context: RequestContext, err: unknown): void => {
    if (err instanceof Fenced) onFenced(err);
    const expected = err instanceof Unavailable || err instanceof Overloaded || err instanceof Unanswered;
    const fields = { ...logFields(context), path: maskCodes(context.path), err };
    log[expected ? 'debug' : 'error'](fields, 'request failed');
  };
}

/** Gives every route what it needs. */
export function createHandlers(deps: HandlersDeps): Handlers {
  const { config, log, redis, postgres, attempts, shard, liveSales, primary, onError } = deps;
  const standingOf = (id: string) => readStanding(postgres, id, Date.now());
  const receiptOf = (code: string) => findReceipt(postgres, code);
  const isGateOpen = async () => {
    const sellable = liveSales.open().map((sale) => isSellable(redis, sale.facts));
    return (await Promise.all(sellable)).every(Boolean);
  };

  const saleRoutes = sales({
    findActive: () => liveSales.find(undefined)?.facts,
    countSold: (saleId) => countSold(redis, saleId),
    listSales: (filter) => listSales(postgres, filter),
    listItems: (page) => listItems(postgres, page),
    onError,
  });
  const healthRoutes = health({
    isPostgresUp: deps.isPostgresUp,
    isRedisUp: () => redis.runId !== undefined,
    isGateOpen,
    isDraining: deps.isDraining,
    workers: () => primary.ask('cluster-status', STATUS_MS).catch(() => []),
  });

  return {
    checkout: checkout({
      findSale: liveSales.find,
      standingOf,
      shard: config.shard === 'on' ? shard : { verdict: () => undefined },
      ownerOf: config.workerPortBase === undefined ? undefined : (itemId) => shard.ring.ownerOf(itemId),
      attempts,
      isLogFull: deps.isLogFull,
      onError,
    }),
    purchase: purchase({
      findPurchases: (saleId) => liveSales.find(saleId)?.purchases,
      standingOf,
      findReceipt: receiptOf,
      onError,
    }),
    receipt: readReceipt({ findReceipt: receiptOf, onError }),
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
      refreshSales: async () => void (await primary.ask('refresh-sales', REFRESH_MS)),
      onCreated: (context, sale, { total }) =>
        log.info({ ...logFields(context), sale, items: total }, 'sale created'),
      onError,
    }),
    health: healthRoutes.health,
    live: healthRoutes.live,
    ready: healthRoutes.ready,
    shards: shards({ ring: () => shard.ring, portBase: config.workerPortBase }),
    ...documents(VERSION),
    metrics: metrics({
      read: config.metrics === 'on' ? () => primary.ask('metrics', METRICS_MS) : undefined,
    }),
  };
}
