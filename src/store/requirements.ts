import { SetupError } from '../config.ts';
import { readDataset } from './fence.ts';

/** What these checks need of a connected node-redis client. */
export interface AskableRedis {
  info(section: string): Promise<string>;
  sendCommand(words: string[]): Promise<unknown>;
}

/** What these checks need of a connected pg client. */
export interface AskablePostgres {
  query(text: string): Promise<{ readonly rows: readonly Record<string, unknown>[] }>;
}

const REDIS_MAJOR = 7;
const POSTGRES_MAJOR = 14;

/** CONFIG GET of one setting; undefined where it may not be read, as on most managed services. */
async function redisSetting(client: AskableRedis, name: string): Promise<string | undefined> {
  try {
    const reply = await client.sendCommand(['CONFIG', 'GET', name]);
    // RESP3 answers a map, RESP2 a flat list.
    if (Array.isArray(reply)) return reply[1];
    if (reply instanceof Map) return reply.get(name);
    return (reply as Record<string, string>)[name];
  } catch {
    return undefined;
  }
}

/**
 * Refuses, with one sentence, a Redis that is too old or set up in a way that breaks a promise. `appendonly no` is
 * fine: a Redis that comes back empty sells nothing until it has been rebuilt from Postgres.
 */
export async function requireRedis(client: AskableRedis): Promise<void> {
  const info = `${await client.info('server')}\n${await client.info('memory')}`;
  const infoOf = (field: string) => new RegExp(`^${field}:(.*?)\\r?$`, 'm').exec(info)?.[1];

  const version = infoOf('redis_version') ?? 'of an unknown version';
  if (!(Number.parseInt(version, 10) >= REDIS_MAJOR)) {
    throw new SetupError(
      `The Redis at REDIS_URL is ${version}; redis_version ${REDIS_MAJOR}.0 or later is needed.`,
    );
  }
  if ((await readDataset((...words) => client.sendCommand(words))) === undefined) {
    throw new SetupError(
      'The Redis at REDIS_URL does not tell its run_id and master_replid in INFO, so that an older copy of it could not be told from it; connect to the server itself.',
    );
  }
  // Also without a maxmemory: one that is set later would begin to evict at once.
  const policy = infoOf('maxmemory_policy') ?? (await redisSetting(client, 'maxmemory-policy'));
  if (policy !== undefined && policy !== 'noeviction') {
    throw new SetupError(
      `The Redis at REDIS_URL has maxmemory-policy ${policy}, which may evict a sale; set it to noeviction.`,
    );
  }
  if ((await redisSetting(client, 'no-appendfsync-on-rewrite')) === 'yes') {
    throw new SetupError(
      'The Redis at REDIS_URL has no-appendfsync-on-rewrite yes, which stops syncing during a rewrite; set it to no.',
    );
  }
}

/**
 * Refuses, with one sentence, a Postgres that is too old or may forget a commit it has confirmed.
 * `full_page_writes` off is fine: file systems that cannot tear a page want it so. `synchronous_commit` is set per session.
 */
export async function requirePostgres(client: AskablePostgres): Promise<void> {
  const { rows } = await client.query(`
    select current_setting('server_version_num')::int / 10000 as major, current_setting('server_version') as version,
           current_setting('fsync') as fsync`);
  const { major, version, fsync } = rows[0] ?? {};
  if (!(Number(major) >= POSTGRES_MAJOR)) {
    throw new SetupError(
      `The Postgres at DATABASE_URL has server_version ${version}; ${POSTGRES_MAJOR} or later is needed.`,
    );
  }
  if (fsync === 'off') {
    throw new SetupError(
      'The Postgres at DATABASE_URL has fsync off, so that a crash would lose confirmed purchases; set it to on.',
    );
  }
}

/** How often to check which server is behind a connection: a pooler that rotates servers shows at the second check. */
const LOOKS = 4;

/**
 * Refuses a pooler that gives each transaction another session: advisory locks, session settings and prepared statements
 * would belong to another client. While one connection holds a server in a transaction, the other gets a second one; once the first
 * is free again, a connection that is bound to its server stays with it.
 */
export async function requireOwnSessions(client: AskablePostgres, other: AskablePostgres): Promise<void> {
  const serverOf = async (of: AskablePostgres) =>
    (await of.query('select pg_backend_pid() as pid')).rows[0]?.pid;
  await client.query('begin');
  await serverOf(client);
  const own = await serverOf(other);
  await client.query('commit');
  for (let look = 0; look < LOOKS; look++) {
    if ((await serverOf(other)) === own) continue;
    throw new SetupError(
      'The Postgres at DATABASE_URL is behind a pooler that shares sessions between clients; set it to session pooling, or connect without it.',
    );
  }
}
