import { join } from 'node:path';
import type { Config, Place } from '../config.ts';
import type { Log } from '../log.ts';
import { type AttemptLog, openAttemptLog } from '../store/attempts/spool.ts';
import { Fenced } from '../store/errors.ts';
import { openPostgres, type Postgres } from '../store/postgres.ts';
import { openRedis, type Redis } from '../store/redis.ts';
import type { FencedCount } from './fenced.ts';
import type { WorkerMetrics } from './metrics.ts';

/** As many commits as may be under way per sale, and one more for an overlapping sale. */
const COMMITTERS = 3;
/** Listings, receipts and what the admin API asks; slow ones must not hold up commits, so they have their own. */
const READERS = 3;

/** A worker's connections to Redis and Postgres, and its spool. */
export interface Stores {
  readonly redis: Redis;
  readonly committers: Postgres;
  readonly readers: Postgres;
  readonly attempts: AttemptLog;
  /** Logs what a store throws outside of a request. */
  readonly onError: (error: unknown) => void;
  close(): Promise<void>;
}

/** Opens them. The worker serves while it waits for a store that is away. */
export async function openStores(
  config: Config,
  { slot, run }: Place,
  log: Log,
  fenced: FencedCount,
  metrics: WorkerMetrics | undefined,
): Promise<Stores> {
  const onError = (err: unknown) =>
    err instanceof Fenced ? fenced.heard(err) : log.warn({ err }, 'a store failed');
  const [url, databaseUrl] = [config.redisUrl as string, config.databaseUrl as string];
  const redis = await openRedis({ url, patient: true, onError, onCommand: metrics?.onCommand });
  const database = { url: databaseUrl, patient: true, onError, onQuery: metrics?.onQuery };
  const committers = await openPostgres({
    ...database,
    connectionsMax: COMMITTERS,
    tells: config.events === 'on',
  });
  const readers = await openPostgres({ ...database, connectionsMax: READERS, reads: true });
  const attempts = openAttemptLog(join(config.dataDir, 'spool'), slot, run);
  return {
    redis,
    committers,
    readers,
    attempts,
    onError,
    async close() {
      attempts.close();
      await Promise.allSettled([redis.close(), committers.close(), readers.close()]);
    },
  };
}
