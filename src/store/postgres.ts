import type pg from 'pg';
import { SetupError } from '../config.ts';
import { Overloaded, Unavailable } from './errors.ts';
import { readSql } from './files.ts';
import { createJudge } from './postgres-errors.ts';
import { CONNECT_MS, createPool, createPoolBreaker, withOwnClient } from './postgres-pool.ts';
import { kindOf } from './query-kinds.ts';
import { requireOwnSessions, requirePostgres } from './requirements.ts';

/** A commit takes a few ms; one that waits for a rebuild's lock, a few hundred. Past this the outcome is unknown. */
const ANSWER_MS = 1_500;
/** Queries that may wait for a connection: at a millisecond each, longer than a reader wants to wait. */
const WAITING_MAX = 512;
/** A statement of `sql/`, prepared once per connection. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

export function statement(name: string): Statement {
  return { name, text: readSql(name) };
}

/** What the statements of one transaction go through. */
export type Transaction = pg.ClientBase;

/** A bounded pool of connections to Postgres with a deadline on every query and a breaker. */
export interface Postgres {
  /** False while Postgres is known to be away, or read-only where it must write. */
  readonly isUp: boolean;
  /** Whether commits tell the feed. */
  readonly tells: boolean;
  /** Connections in use, open ones that are not, and queries that wait for one. */
  readonly load: { readonly active: number; readonly idle: number; readonly waiting: number };
  /**
   * Runs a statement in a transaction of its own. Throws Unavailable or Overloaded (nothing happened; a read that was late is
   * Overloaded too), Unanswered (it may have happened), or pg's DatabaseError when Postgres refused it (sqlstates.ts).
   */
  query<Row extends pg.QueryResultRow>(statement: Statement, values?: unknown[]): Promise<Row[]>;
  /** Runs `work` in one transaction on one connection; throws as `query` does. `table` is what it is mainly about. */
  transaction<T>(table: string, work: (client: pg.ClientBase) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export interface PostgresOptions {
  readonly url: string;
  /** Connections at most. */
  readonly connectionsMax: number;
  /** Deadline of one query, in ms; the default is for requests, long jobs set their own. */
  readonly answerMs?: number;
  readonly onError: (error: Error) => void;
  /** Called with the time of each query and transaction, including the wait for a connection. */
  readonly onQuery?: ((queryType: string, table: string, ms: number) => void) | undefined;
  /** True: a read-only server will do, also for the breaker. */
  readonly reads?: boolean;
  /** Whether commits of purchases tell the feed (docs/events.md). */
  readonly tells?: boolean;
  /** True: start without Postgres, and go on trying. False: a Postgres that is away or badly set up is a SetupError. */
  readonly patient: boolean;
}

/** Opens a pool. Unless `patient`, throws a SetupError when the server is away or its settings would break a promise. */
export async function openPostgres(options: PostgresOptions): Promise<Postgres> {
  const answerMs = options.answerMs ?? ANSWER_MS;
  const pool = createPool(options, answerMs);
  const { breaker, doubt, close } = createPoolBreaker(pool, options);
  const judge = createJudge(breaker, doubt);

  const guarded = async <T>(isRead: boolean, work: () => Promise<T>): Promise<T> => {
    if (!breaker.isUp) throw new Unavailable('Postgres is away');
    if (pool.waitingCount >= WAITING_MAX) throw new Overloaded('too many queries wait');
    try {
      return await work();
    } catch (error) {
      throw judge(error as Error, isRead);
    }
  };

  const timed = async <T>([type, table]: readonly [string, string], work: () => Promise<T>): Promise<T> => {
    const beganMs = performance.now();
    try {
      return await work();
    } finally {
      options.onQuery?.(type, table, performance.now() - beganMs);
    }
  };

  await meet(pool, options).catch(async (error: Error) => {
    if (options.patient) return breaker.trip(error);
    close();
    await pool.end();
    throw error;
  });

  return {
    tells: options.tells === true,
    get isUp() {
      return breaker.isUp;
    },
    get load() {
      const { totalCount, idleCount, waitingCount } = pool;
      return { active: totalCount - idleCount, idle: idleCount, waiting: waitingCount };
    },
    query(statement, values = []) {
      const kind = kindOf(statement.name);
      return timed(kind, () =>
        guarded(kind[0] === 'select', async () => (await pool.query({ ...statement, values })).rows),
      );
    },
    transaction: (table, work) =>
      timed(['transaction', table], async () => {
        const client = await guarded(false, () => pool.connect());
        return transact(client, (run) => guarded(false, run), work);
      }),
    async close() {
      close();
      await pool.end();
    },
  };
}

/** The first connection; unless `patient`, it finds out whether the server and what is before it keep the promises. */
async function meet(pool: pg.Pool, { url, patient }: PostgresOptions): Promise<void> {
  const client = await pool.connect().catch((error: Error) => {
    throw new SetupError(`Postgres cannot be reached (${error.message}); check DATABASE_URL.`);
  });
  try {
    if (patient) return;
    await requirePostgres(client);
    await withOwnClient(url, CONNECT_MS, (other) => requireOwnSessions(client, other));
  } finally {
    client.release();
  }
}

/** Runs `work` between begin and commit, and lets go of the client. */
async function transact<T>(
  client: pg.PoolClient,
  guarded: (run: () => Promise<T>) => Promise<T>,
  work: (client: pg.ClientBase) => Promise<T>,
): Promise<T> {
  try {
    const result = await guarded(async () => {
      await client.query('begin');
      const value = await work(client);
      await client.query('commit');
      return value;
    });
    client.release();
    return result;
  } catch (error) {
    client.release(true);
    throw error;
  }
}
