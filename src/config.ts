import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { type Env, readersOf } from './environment.ts';

/** A set-up that cannot work: one sentence that names what to change. The process exits with 1. */
export class SetupError extends Error {
  override name = 'SetupError';
}

/**
 * Reads the configuration from the environment; the only reader of `process.env`.
 * Throws one SetupError that names every bad variable at once.
 */
export function readConfig(env: Env = process.env, isTerminal = process.stdout.isTTY === true) {
  const readers = readersOf(env);
  const { errors, text, integer, oneOf, share, bearer, basePath, redisUrl, databaseUrl } = readers;
  const production = env.NODE_ENV === 'production';
  const config = {
    production,
    /** Where the service listens. Loopback in development, so that an open admin API stays on the box. */
    host: text('HOST') ?? (production ? '0.0.0.0' : '127.0.0.1'),
    port: integer('PORT', 8080, 0, 65535),
    /** One worker per core: each is one thread, and one more only adds switches. 64 slots is what the ring is tested for. */
    workers: integer('WORKERS', Math.min(availableParallelism(), 64), 1, 64),
    /** Absent: a private server under `dataDir`. */
    redisUrl: redisUrl('REDIS_URL'),
    databaseUrl: databaseUrl('DATABASE_URL'),
    /** Private servers and the attempt spool live here. */
    dataDir: resolve(text('DATA_DIR') ?? 'data'),
    /** The binary of the private Redis; found on the PATH when absent. */
    redisServer: text('REDIS_SERVER'),
    adminToken: bearer('ADMIN_TOKEN'),
    ...readDoor(readers),
    ...readFeed(readers),
    logLevel: oneOf('LOG_LEVEL', 'info', ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']),
    /**
     * The level of a request's line. `debug`, with `LOG_LEVEL=info`: only purchases, failures and slow requests have one.
     * `failures`: only failures; what else happens a terminal shows as one row a second.
     */
    logRequests: oneOf('LOG_REQUESTS', isTerminal ? 'failures' : 'info', ['info', 'debug', 'failures']),
    /** The share of refusals (4xx, 503) that have a line: at 1 all, at 0.01 every hundredth. */
    logRefusals: share('LOG_REFUSALS', 1),
    /** A request that takes longer has its line in any case, as a warning, but where only failures have one. */
    slowRequestMs: integer('SLOW_REQUEST_MS', 1_000, 1, 600_000),
    /** off: nothing is measured, and there is no /metrics. */
    metrics: oneOf('METRICS', 'on', ['on', 'off']),
    /** Each worker also listens on this port plus its slot, for callers that hash on the item id. Absent: it does not. */
    workerPortBase:
      text('WORKER_PORT_BASE') === undefined ? undefined : integer('WORKER_PORT_BASE', 0, 1, 65_471),
    /** off: workers remember nothing, and every request goes on to Redis. */
    shard: oneOf('SHARD', 'on', ['on', 'off']),
    /** How long a worker waits for the owner of an item, in ms; then it asks Redis. 0: it does not ask the owner. */
    shardQuestionMs: integer('SHARD_QUESTION_MS', 20, 0, 1_000),
    /** Days for which attempts are kept; then their partitions are dropped. */
    attemptsKeepDays: integer('ATTEMPTS_KEEP_DAYS', 30, 1, 3_650),
    /** Where a gateway shows this service and leaves that path in requests. Absent: at the root, or the gateway takes it off. */
    basePath: basePath('BASE_PATH'),
    /** off: `GET /` answers browsers what it answers programs, 404. */
    storefront: oneOf('STOREFRONT', 'on', ['on', 'off']),
    /** off: no sale is made on the hour, and without `sale_id` the newest open sale of the admin API is meant. */
    hourlySales: oneOf('HOURLY_SALES', 'on', ['on', 'off']),
    /** Items of each hourly sale. A million has been loaded in one rebuild; past that Redis' memory decides. */
    saleItems: integer('SALE_ITEMS', 10_000, 1, 1_000_000),
    /** Items a user may hold in one hourly sale. A cart is one Redis field, rewritten per line: keep it small. */
    userLimit: integer('USER_LIMIT', 10, 1, 100),
  };
  if (errors.length > 0) throw new SetupError(`The configuration is not usable: ${errors.join('; ')}.`);
  return Object.freeze(config);
}

/** Who may buy, how often, and from where: all off unless it is set. */
function readDoor(readers: ReturnType<typeof readersOf>) {
  const { errors, text, integer, oneOf, origins, secrets, keySet, rate, networks } = readers;
  const door = {
    /** Tokens prove buyers: signed by one of these secrets (HS256), or by a key of this set. Absent: `user_id` names the buyer. */
    buyerSecrets: secrets('BUYER_SECRET'),
    buyerJwks: keySet('BUYER_JWKS'),
    /** `iss` and `aud` of these tokens; absent: not compared. */
    buyerIssuer: text('BUYER_ISSUER'),
    buyerAudience: text('BUYER_AUDIENCE'),
    /** Seconds by which the issuer's clock may differ. Five minutes is what Kerberos allows, and no clock of today needs more. */
    buyerLeewayS: integer('BUYER_LEEWAY_S', 30, 0, 300),
    /** Pages of these origins may use the service from a browser. Absent: no header says so. */
    corsOrigins: origins('CORS_ORIGINS'),
    /** Requests of a user and of an address; absent: as many as they like. */
    rateUser: rate('RATE_USER'),
    rateAddress: rate('RATE_ADDRESS'),
    /** Addresses that RATE_ADDRESS does not count: a crowd behind one address. */
    rateExempt: networks('RATE_EXEMPT'),
    /** Proxies that say which address is behind them, in this one header. */
    trustedProxies: networks('TRUSTED_PROXIES'),
    proxyHeader: oneOf('PROXY_HEADER', 'x-forwarded-for', ['x-forwarded-for', 'forwarded']),
  };
  const proves = door.buyerSecrets.length > 0 || door.buyerJwks !== undefined;
  if (!proves && errors.length === 0 && (door.buyerIssuer ?? door.buyerAudience) !== undefined)
    errors.push('BUYER_ISSUER and BUYER_AUDIENCE need BUYER_SECRET or BUYER_JWKS');
  return door;
}

/** What the shop is told of what happens: off unless it is set. */
function readFeed({ errors, text, integer, oneOf, url, webhookSecret }: ReturnType<typeof readersOf>) {
  const feed = {
    /** Days for which events are kept; a reader that is away for longer begins anew. */
    eventsKeepDays: integer('EVENTS_KEEP_DAYS', 30, 1, 3_650),
    /** on: what happens is told in a feed, which costs Postgres a tenth more CPU per purchase. A webhook needs it. */
    events: oneOf('EVENTS', text('WEBHOOK_URL') === undefined ? 'off' : 'on', ['off', 'on']),
    /** Where events are sent; absent: nowhere. */
    webhookUrl: url('WEBHOOK_URL', ['https:', 'http:']),
    webhookSecret: webhookSecret('WEBHOOK_SECRET'),
    /** on: the receiver may be in the operator's own network. */
    webhookPrivate: oneOf('WEBHOOK_PRIVATE', 'off', ['off', 'on']),
  };
  if (errors.length > 0) return feed;
  if ((feed.webhookUrl === undefined) !== (feed.webhookSecret === undefined))
    errors.push('WEBHOOK_URL and WEBHOOK_SECRET need each other');
  if (feed.webhookUrl !== undefined && feed.events === 'off') errors.push('WEBHOOK_URL needs EVENTS=on');
  return feed;
}

/** What the primary passes to a worker through the environment. */
export const readPlace = (env: Env = process.env) => ({
  slot: Number(env.WORKER_SLOT),
  /** Where the sockets of all workers are. */
  peersDir: env.PEERS_DIR as string,
  /** Identifies this run of the service. */
  run: env.SERVICE_RUN as string,
});

export type Config = ReturnType<typeof readConfig>;
export type Place = ReturnType<typeof readPlace>;

/** The configuration with every secret masked, fit for a log line. */
export function maskSecrets(config: Config): Record<string, unknown> {
  // All up to the last @ of the authority; and Postgres takes passwords from the query as well.
  const maskUrl = (raw: string | undefined) =>
    raw?.replace(/\/\/[^/?#]*@/, '//***@').replace(/([?&]\w*password=)[^&#]*/gi, '$1***');
  return {
    ...config,
    redisUrl: maskUrl(config.redisUrl),
    databaseUrl: maskUrl(config.databaseUrl),
    adminToken: config.adminToken && '***',
    webhookUrl: maskUrl(config.webhookUrl),
    webhookSecret: config.webhookSecret && '***',
    buyerSecrets: config.buyerSecrets.map(() => '***'),
    buyerJwks: maskUrl(config.buyerJwks),
  };
}
