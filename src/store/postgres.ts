import pg from 'pg';
import { SetupError } from '../config.ts';
import { Overloaded, Unanswered, Unavailable } from './errors.ts';
import { readSql } from './files.ts';
import { kindOf } from './query-kinds.ts';
import { requirePostgres } from './requirements.ts';

/** A commit takes a few ms; one that waits for a rebuild's lock, a few hundred. Past this the outcome is unknown. */
const ANSWER_MS = 1_500;
const CONNECT_MS = 3_000;
/** Queries that may wait for a connection: at a millisecond each, longer than a reader wants to wait. */
const WAITING_MAX = 512;
/** How soon a lost Postgres is tried again. */
const RETRY_MS = 200;
/** SQLSTATE classes that speak of the connection or the server, not of the statement: 08, 53, 57P, 58, XX. */
const SERVER_TROUBLE = /^(08|53|57P|58|XX)/;

/** A statement of `sql/`, prepared once per connection. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

export function statement(name: string): Statement {
  return { name, text: readSql(name) };
}

/** A bounded pool of connections to Postgres with a deadline on every query and a breaker. */
export interface Postgres {
  /** False while Postgres is known to be away. */
  readonly isUp: boolean;
  /** Connections in use, open ones that are not, and queries that wait for one. */
  readonly load: { readonly active: number; readonly idle: number; readonly waiting: number };
  /**
   * Runs a statement in a transaction of its own. Throws Unavailable or Overloaded (nothing happened), Unanswered
   * (it may have happened), or pg's DatabaseError when Postgres refused it.
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
  /** Milliseconds for one query; the default is for requests, long jobs name their own. */
  readonly answerMs?: number;
  readonly onError: (error: Error) => void;
  /** Hears of each query and transaction how long it took, the wait for a connection included. */
  readonly onQuery?: ((queryType: string, table: string, ms: number) => void) | undefined;
  /** True: start without Postgres, and go on trying. False: a Postgres that is away or badly set up is a SetupError. */
  readonly patient: boolean;
}

/** Whether a statement was refused because it contradicts a row that is there. */
export const isUniqueViolation = (error: unknown): error is pg.DatabaseError =>
  error instanceof pg.DatabaseError && error.code === '23505';

/** Whether Postgres itself refused a statement, as by a constraint; trouble of the server or the way to it is none. */
export const isRefusal = (error: unknown): error is pg.DatabaseError =>
  error instanceof pg.DatabaseError && error.code !== undefined && !SERVER_TROUBLE.test(error.code);

/** Opens a pool; unless it is patient, it refuses (SetupError) a server that is away or whose settings would break a promise. */
export async function openPostgres(options: PostgresOptions): Promise<Postgres> {
  const answerMs = options.answerMs ?? ANSWER_MS;
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.connectionsMax,
    connectionTimeoutMillis: Math.min(CONNECT_MS, answerMs),
    query_timeout: answerMs,
    // The server gives up too, a little later, so that no abandoned statement holds a lock for long.
    statement_timeout: answerMs * 2,
    // A process that is stopped in the middle of a transaction must not hold its locks for ever.
    idle_in_transaction_session_timeout: answerMs * 2,
    idleTimeoutMillis: 0,
    keepAlive: true,
    application_name: 'flashsale',
  });
  let up = true;
  let closed = false;
  let probe: NodeJS.Timeout | undefined;

  /** Trips the breaker; Postgres is asked again, once at a time, until it answers. */
  const fall = (error: Error) => {
    if (!up || closed) return;
    up = false;
    options.onError(error);
    const ask = () => {
      pool.query('select 1').then(
        () => {
          up = true;
        },
        () => {
          if (!closed) probe = setTimeout(ask, RETRY_MS);
        },
      );
    };
    probe = setTimeout(ask, RETRY_MS);
  };
  pool.on('error', fall);

  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    if (!up) throw new Unavailable('Postgres is away');
    if (pool.waitingCount >= WAITING_MAX) throw new Overloaded('too many queries wait');
    try {
      return await work();
    } catch (error) {
      if (isRefusal(error)) throw error;
      // pg-pool's words for: all connections were busy. That says nothing about Postgres.
      if ((error as Error).message === 'timeout exceeded when trying to connect') {
        throw new Overloaded('no connection came free');
      }
      fall(error as Error);
      throw new Unanswered(`Postgres: ${(error as Error).message}`);
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

  const transact = async <T>(work: (client: pg.ClientBase) => Promise<T>): Promise<T> => {
    const client = await guarded(() => pool.connect());
    // The pool listens to idle clients only: a connection lost in here would be an uncaught error of the process.
    client.on('error', fall);
    try {
      const result = await guarded(async () => {
        await client.query('begin');
        const value = await work(client);
        await client.query('commit');
        return value;
      });
      client.off('error', fall);
      client.release();
      return result;
    } catch (error) {
      client.release(true);
      throw error;
    }
  };

  try {
    const client = await pool.connect().catch((error: Error) => {
      throw new SetupError(`Postgres cannot be reached (${error.message}); check DATABASE_URL.`);
    });
    try {
      if (!options.patient) await requirePostgres(client);
    } finally {
      client.release();
    }
  } catch (error) {
    if (!options.patient) {
      await pool.end();
      throw error;
    }
    fall(error as Error);
  }

  return {
    get isUp() {
      return up;
    },
    get load() {
      const { totalCount, idleCount, waitingCount } = pool;
      return { active: totalCount - idleCount, idle: idleCount, waiting: waitingCount };
    },
    query: (statement, values) =>
      timed(kindOf(statement.name), () =>
        guarded(async () => (await pool.query({ ...statement, values: values ?? [] })).rows),
      ),
    transaction: (table, work) => timed(['transaction', table], () => transact(work)),
    async close() {
      closed = true;
      clearTimeout(probe);
      await pool.end();
    },
  };
}
