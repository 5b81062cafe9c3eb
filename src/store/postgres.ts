import pg from 'pg';
import { SetupError } from '../config.ts';
import { createBreaker } from './breaker.ts';
import { Overloaded, Unanswered, Unavailable } from './errors.ts';
import { readSql } from './files.ts';
import { kindOf } from './query-kinds.ts';
import { requireOwnSessions, requirePostgres } from './requirements.ts';
import { type Meaning, meaningOf } from './sqlstates.ts';

/** A commit takes a few ms; one that waits for a rebuild's lock, a few hundred. Past this the outcome is unknown. */
const ANSWER_MS = 1_500;
const CONNECT_MS = 3_000;
/** Queries that may wait for a connection: at a millisecond each, longer than a reader wants to wait. */
const WAITING_MAX = 512;
/** A healthy Postgres answers a new connection within milliseconds. */
const DOUBT_MS = 1_000;
/** How soon to try a lost Postgres again. */
const RETRY_MS = 200;

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
  /** False while Postgres is known to be away, or read-only where it must write. */
  readonly isUp: boolean;
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
  /** True: start without Postgres, and go on trying. False: a Postgres that is away or badly set up is a SetupError. */
  readonly patient: boolean;
}

/** What an error of Postgres itself means; undefined for errors of the connection. */
const meaningIn = (error: unknown): Meaning | undefined =>
  error instanceof pg.DatabaseError && error.code !== undefined ? meaningOf(error.code) : undefined;

/** Whether a statement was refused because it contradicts an existing row. */
export const isContradiction = (error: unknown): error is pg.DatabaseError =>
  meaningIn(error) === 'contradiction';

/** Whether Postgres will never accept these values, however often they are sent. */
export const isRefusal = (error: unknown): error is pg.DatabaseError =>
  meaningIn(error) === 'contradiction' || meaningIn(error) === 'refused';

/**
 * Sets what a session needs, whatever the server, the role or a pooler has set: a commit waits for its WAL (I3), the
 * fence needs read committed, and the server gives up on statements a little later than the service does, so that no
 * abandoned one holds a lock for long. Set by a statement, since poolers refuse or drop start-up parameters.
 */
const PREPARE_SESSION = `select
  set_config('synchronous_commit', case when current_setting('synchronous_commit') in ('off', 'local') then 'on' else current_setting('synchronous_commit') end, false),
  set_config('default_transaction_isolation', 'read committed', false),
  set_config('statement_timeout', $1, false),
  set_config('idle_in_transaction_session_timeout', $1, false)`;

/** A read-only server cannot commit. */
const CAN_WRITE = `select not pg_is_in_recovery() and current_setting('transaction_read_only') = 'off' as can_write`;

/** Does `work` over a separate connection, since those of the pool may all be busy; each step within `ms` milliseconds. */
async function withOwnClient(
  url: string,
  ms: number,
  work: (client: pg.Client) => Promise<unknown>,
): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: ms, query_timeout: ms });
  client.on('error', () => {});
  try {
    await client.connect();
    await work(client);
  } finally {
    // Not awaited: a server that hangs never closes the connection.
    void client.end().catch(() => {});
  }
}

/** Opens a pool. Unless `patient`, throws a SetupError when the server is away or its settings would break a promise. */
export async function openPostgres(options: PostgresOptions): Promise<Postgres> {
  const answerMs = options.answerMs ?? ANSWER_MS;
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.connectionsMax,
    connectionTimeoutMillis: Math.min(CONNECT_MS, answerMs),
    query_timeout: answerMs,
    idleTimeoutMillis: 0,
    keepAlive: true,
    application_name: 'flashsale',
    onConnect: (client) => client.query(PREPARE_SESSION, [String(answerMs * 2)]),
  });

  /** Takes an idle or a new connection, and drops one that cannot do its work. */
  const probe = async () => {
    const client = await pool.connect();
    let isFit = false;
    try {
      const { rows } = await client.query(options.reads ? 'select true as can_write' : CAN_WRITE);
      isFit = rows[0].can_write;
      if (!isFit) throw new Unavailable('Postgres is read-only');
    } finally {
      client.release(!isFit);
    }
  };
  const breaker = createBreaker({ probe, retryMs: RETRY_MS, onTrip: options.onError });
  pool.on('error', breaker.trip);

  /** A late read says nothing about Postgres; a new connection without an answer does. */
  let isAsking = false;
  const doubt = () => {
    if (isAsking) return;
    isAsking = true;
    void withOwnClient(options.url, DOUBT_MS, (client) => client.query('select 1'))
      .catch(breaker.trip)
      .finally(() => {
        isAsking = false;
      });
  };

  /** The error that the caller gets; trips the breaker when the server or the connection failed. */
  const judge = (error: Error, isRead: boolean): Error => {
    const { message } = error;
    switch (meaningIn(error)) {
      case 'contradiction':
      case 'refused':
      case 'bug':
        return error;
      case 'busy':
        return new Overloaded(`Postgres: ${message}`);
      case 'read-only':
        breaker.trip(error);
        return new Unavailable(`Postgres: ${message}`);
      case 'away':
      case undefined:
        // pg-pool's message when all connections are busy, which says nothing about Postgres.
        if (message === 'timeout exceeded when trying to connect')
          return new Overloaded('no connection came free');
        if (isRead && message === 'Query read timeout') {
          doubt();
          return new Overloaded('a read took too long');
        }
        breaker.trip(error);
        return new Unanswered(`Postgres: ${message}`);
    }
  };

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

  const transact = async <T>(work: (client: pg.ClientBase) => Promise<T>): Promise<T> => {
    const client = await guarded(false, () => pool.connect());
    // The pool listens to idle clients only: a connection lost in here would be an uncaught error of the process.
    client.on('error', breaker.trip);
    try {
      const result = await guarded(false, async () => {
        await client.query('begin');
        const value = await work(client);
        await client.query('commit');
        return value;
      });
      client.off('error', breaker.trip);
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
      if (!options.patient) {
        await requirePostgres(client);
        await withOwnClient(options.url, CONNECT_MS, (other) => requireOwnSessions(client, other));
      }
    } finally {
      client.release();
    }
  } catch (error) {
    if (!options.patient) {
      await pool.end();
      throw error;
    }
    breaker.trip(error as Error);
  }

  return {
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
    transaction: (table, work) => timed(['transaction', table], () => transact(work)),
    async close() {
      breaker.close();
      await pool.end();
    },
  };
}
