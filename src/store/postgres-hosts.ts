import pg from 'pg';
import { readDatabaseUrl } from '../database-url.ts';

/** Each host has so long to say what it is. One that is silent delays a change of the primary by as much. */
const LOOK_MS = 1_000;
/**
 * The timeline of a server that takes writes, null for any other. A promotion begins a new one: of two servers that both
 * take writes, the one with the lower timeline was replaced and does not know it.
 */
const TIMELINE = `select case when not pg_is_in_recovery() and current_setting('transaction_read_only') = 'off'
  then ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int end as timeline`;

export type ClientClass = new (config: pg.ClientConfig) => pg.Client;

/**
 * The class of the connections to a URL. pg knows one host per client; where the URL names several, these go to the one that
 * takes writes, and look for it again when it cannot be reached or has become a standby. A standby is never read:
 * what was committed may not show there yet.
 */
export function clientOf(url: string): ClientClass {
  const place = readDatabaseUrl(url);
  const urls = 'urls' in place ? place.urls : [url];
  return urls.length > 1 ? followingClient(urls) : pg.Client;
}

function followingClient(urls: readonly string[]): ClientClass {
  const search = createSearch(urls);
  return class extends pg.Client {
    #isEnded = false;

    constructor(config: pg.ClientConfig) {
      super({ ...config, connectionString: urls[0] as string });
      // Whoever opens it listens from when it is open, which is before it has said what it is: a loss in between would be an uncaught
      // error, and end the process.
      this.on('error', () => {});
    }

    async #follow(): Promise<this> {
      const found = await search.primary();
      if (this.#isEnded) throw new Error('the connection was ended before it was open');
      // Both are read when it connects; all else is alike on every host.
      Object.assign(this, found);
      try {
        await super.connect();
        const { rows } = await this.query(TIMELINE);
        if (rows[0].timeline === null) throw new Error('Postgres is no longer the primary');
        return this;
      } catch (error) {
        search.forget(found);
        void super.end().catch(() => {});
        throw error;
      }
    }

    override connect(): Promise<pg.Client>;
    override connect(callback: (error: Error | null, client?: pg.Client) => void): void;
    override connect(
      callback?: (error: Error | null, client?: pg.Client) => void,
    ): Promise<pg.Client> | undefined {
      if (callback === undefined) return this.#follow();
      this.#follow().then(() => callback(null, this), callback);
      return undefined;
    }

    // A search under way must not connect a client that was given up meanwhile.
    override end(): Promise<void>;
    override end(callback: (error: Error) => void): void;
    override end(callback?: (error: Error) => void): Promise<void> | void {
      this.#isEnded = true;
      return callback === undefined ? super.end() : super.end(callback);
    }
  };
}

interface Host {
  readonly host: string;
  readonly port: number;
}

/** Which of the hosts is the primary: asked once for all who want to know, until one finds that it is not. */
function createSearch(urls: readonly string[]) {
  let known: Promise<Host> | undefined;
  const forget = () => {
    known = undefined;
  };
  return {
    /** Rejects when none takes writes. */
    primary(): Promise<Host> {
      if (known === undefined) {
        known = findPrimary(urls);
        known.catch(forget);
      }
      return known;
    },
    async forget(host: Host): Promise<void> {
      if ((await known?.catch(() => undefined)) === host) forget();
    },
  };
}

async function findPrimary(urls: readonly string[]): Promise<Host> {
  const looks = await Promise.all(urls.map(look));
  const [newest] = looks.flatMap((each) => each ?? []).sort((a, b) => b.timeline - a.timeline);
  if (newest === undefined) throw new Error(`none of the ${urls.length} hosts of DATABASE_URL takes writes`);
  return newest.host;
}

/** What a host is; undefined for one that is away or takes no writes. */
async function look(url: string): Promise<{ timeline: number; host: Host } | undefined> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: LOOK_MS,
    query_timeout: LOOK_MS,
  });
  client.on('error', () => {});
  try {
    await client.connect();
    const { timeline } = (await client.query(TIMELINE)).rows[0];
    return timeline === null ? undefined : { timeline, host: { host: client.host, port: client.port } };
  } catch {
    return undefined;
  } finally {
    // Not awaited: a server that hangs never closes the connection.
    void client.end().catch(() => {});
  }
}
