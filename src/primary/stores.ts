import type { Config } from '../config.ts';
import type { Log } from '../log.ts';
import type { StoreMetrics } from '../metrics/stores.ts';
import { startLocalServices } from '../private/services.ts';
import { Unavailable } from '../store/errors.ts';
import { mendFeed } from '../store/feed/keep.ts';
import { migrate } from '../store/migrate.ts';
import { openPostgres, type Postgres } from '../store/postgres.ts';
import { openRedis, type Redis } from '../store/redis.ts';
import type { Shutdown } from './shutdown.ts';

/** Connections of the primary: the keeper, the sweeper, the shipper and the auditor at the same time, and room. */
const CONNECTIONS_MAX = 6;
/** A rebuild's or a shipment's single statement; far above what either needs. */
const ANSWER_MS = 30_000;

export interface Stores {
  readonly redis: Redis;
  readonly postgres: Postgres;
  readonly redisUrl: string;
  readonly databaseUrl: string;
  /** Logs the errors of stores and duties, except that a store is away: its breaker logs that once. */
  readonly onError: (error: unknown) => void;
}

/** Opens both stores, our own private ones or those named by URL, and brings the schema up to date. */
export async function openStores(
  config: Config,
  log: Log,
  shutdown: Shutdown,
  { onCommand, onQuery }: Pick<StoreMetrics, 'onCommand' | 'onQuery'>,
): Promise<Stores> {
  const onError = (error: unknown) => {
    if (!(error instanceof Unavailable)) log.warn({ err: error }, 'a store failed');
  };
  const local = await startLocalServices({
    dataDir: config.dataDir,
    redis: config.redisUrl === undefined,
    postgres: config.databaseUrl === undefined,
    redisServer: config.redisServer,
    onExit: (name, detail) =>
      log.error({ service: name, detail }, 'a private server died; it is started again'),
  });
  shutdown.add('private servers', local.stop);
  const redisUrl = config.redisUrl ?? (local.redisUrl as string);
  const databaseUrl = config.databaseUrl ?? (local.databaseUrl as string);

  const redis = await openRedis({ url: redisUrl, patient: false, onError, onCommand });
  shutdown.add('redis', redis.close);
  const limits = { connectionsMax: CONNECTIONS_MAX, answerMs: ANSWER_MS };
  const tells = config.events === 'on';
  const postgres = await openPostgres({
    url: databaseUrl,
    tells,
    ...limits,
    patient: false,
    onError,
    onQuery,
  });
  shutdown.add('postgres', postgres.close);
  for (const name of await migrate(databaseUrl)) log.info({ migration: name }, 'migrated');
  if (await mendFeed(postgres)) log.warn('the feed goes on in another cluster: a dump was restored');
  return { redis, postgres, redisUrl, databaseUrl, onError };
}
