import type { Socket } from 'node:net';
import pg from 'pg';
import { type Breaker, createBreaker } from './breaker.ts';
import { withDeadline } from './deadline.ts';
import { Unanswered, Unavailable } from './errors.ts';
import { clientOf } from './postgres-hosts.ts';

/** Connecting takes milliseconds; a server that does not accept within this time counts as away. */
export const CONNECT_MS = 3_000;
/** A healthy Postgres answers a new connection within milliseconds. */
const DOUBT_MS = 1_000;
/**
 * What a server that works answers within a millisecond: past this the connection is dead, though nobody has closed it. Its server lost
 * power, or was cut off, and another has taken its place. Without it the long jobs of a leader would wait for their own deadlines.
 */
const SILENT_MS = 5_000;
/** How soon to try a lost Postgres again. */
const RETRY_MS = 200;
/** How often a Postgres that is up is asked whether it can write, so that no purchase has to find out that it cannot. */
const WATCH_MS = 2_000;
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
export async function withOwnClient(
  url: string,
  ms: number,
  work: (client: pg.Client) => Promise<unknown>,
): Promise<void> {
  const client = new (clientOf(url))({
    connectionString: url,
    connectionTimeoutMillis: ms,
    query_timeout: ms,
  });
  client.on('error', () => {});
  try {
    await client.connect();
    await work(client);
  } finally {
    // Not awaited: a server that hangs never closes the connection.
    void client.end().catch(() => {});
  }
}

export interface PoolOptions {
  readonly url: string;
  readonly connectionsMax: number;
  readonly reads?: boolean;
  readonly onError: (error: Error) => void;
}

/** A pool whose every session is prepared before its first use. `answerMs` bounds each query. */
export const createPool = ({ url, connectionsMax }: PoolOptions, answerMs: number): pg.Pool =>
  new pg.Pool({
    Client: clientOf(url) as new () => pg.Client,
    connectionString: url,
    max: connectionsMax,
    connectionTimeoutMillis: Math.min(CONNECT_MS, answerMs),
    query_timeout: answerMs,
    idleTimeoutMillis: 0,
    keepAlive: true,
    application_name: 'flashsale',
    onConnect: (client) => client.query(PREPARE_SESSION, [String(answerMs * 2)]),
  });

/** pg has no way to let go of a connection on which nothing is heard any more. */
const streamOf = (client: pg.PoolClient): Socket =>
  (client as unknown as { connection: { stream: Socket } }).connection.stream;

/** The breaker of a pool, and a way to have Postgres asked apart from it: only silence trips the breaker then. */
export function createPoolBreaker(
  pool: pg.Pool,
  options: PoolOptions,
): { breaker: Breaker; doubt(): void; close(): void } {
  const open = new Set<pg.PoolClient>();
  pool.on('remove', (client) => void open.delete(client));
  /** The others are of the same age, and as dead. */
  const cutAll = (error: unknown) => {
    if (error instanceof Unanswered) for (const client of open) streamOf(client).destroy();
    throw error;
  };
  /** Takes an idle or a new connection, and drops one that cannot do its work. */
  const probe = async () => {
    const client = await pool.connect();
    let isFit = false;
    try {
      const asked = client.query(options.reads ? 'select true as can_write' : CAN_WRITE);
      const { rows } = await withDeadline(asked, SILENT_MS, 'a probe').catch(cutAll);
      isFit = rows[0].can_write;
      if (!isFit) throw new Unavailable('Postgres is read-only');
    } finally {
      client.release(!isFit);
    }
  };
  const breaker = createBreaker({ probe, retryMs: RETRY_MS, onTrip: options.onError });
  pool.on('error', breaker.trip);
  // The pool listens to idle clients only: one lost in somebody's hands would be an uncaught error, and end the process.
  pool.on('connect', (client) => {
    open.add(client);
    client.on('error', breaker.trip);
  });

  // A busy pool is no news, and its commits hear of a server that became read-only themselves. A reader does not mind.
  const watch = setInterval(() => {
    if (options.reads || !breaker.isUp || pool.waitingCount > 0) return;
    probe().catch((error) => {
      if (error instanceof Unavailable || error instanceof Unanswered) breaker.trip(error);
    });
  }, WATCH_MS);
  watch.unref();

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
  const close = () => {
    clearInterval(watch);
    breaker.close();
  };
  return { breaker, doubt, close };
}
