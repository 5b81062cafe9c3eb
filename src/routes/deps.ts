import type { Config } from '../config.ts';
import type { Asked } from '../http/asked.ts';
import type { Log } from '../log.ts';
import type { Question, Questions } from '../messages.ts';
import type { LiveSales } from '../selling/live-sales.ts';
import type { Ticker } from '../selling/ticker.ts';
import type { Turns } from '../selling/turns.ts';
import type { Shard } from '../shard/shard.ts';
import type { AttemptLog } from '../store/attempts/spool.ts';
import type { Postgres } from '../store/postgres.ts';
import type { Redis } from '../store/redis.ts';

/** What a worker provides to its routes; each route picks what it needs. */
export interface RouteDeps {
  readonly config: Config;
  readonly log: Log;
  readonly redis: Redis;
  /** Connections for reading; commits have others. */
  readonly postgres: Postgres;
  readonly attempts: AttemptLog;
  readonly shard: Shard;
  readonly liveSales: LiveSales;
  /** Tells listeners what happens in sales. */
  readonly ticker: Ticker;
  readonly turns: Turns;
  /** The user of a cart's code, from Redis; undefined when it holds no such cart. */
  readonly ownerOf: (code: string) => Promise<string | undefined>;
  /** Asks the primary; rejects when it does not answer within `ms` milliseconds. */
  readonly askPrimary: <Q extends Question>(question: Q, ms: number) => Promise<Questions[Q]['answer']>;
  /** Whether purchases can be committed, as far as is known. */
  readonly isPostgresUp: () => boolean;
  /** True while the attempt log has no room: then no checkout is attempted. */
  readonly isLogFull: () => boolean;
  readonly isDraining: () => boolean;
  readonly onError: (asked: Asked, error: unknown) => void;
}
