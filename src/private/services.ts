import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, realpathSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SetupError } from '../config.ts';
import { lockDataDir } from './data-lock.ts';
import { freePort, PRIVATE_PORTS } from './free-port.ts';
import { type KeptServer, keepServer, type OnExit } from './kept-server.ts';
import { endOrphanedPostgres, preparePostgres } from './postgres.ts';
import { postgresUrl } from './postgres-cluster.ts';
import { startGuard } from './process-guard.ts';
import { endOrphanedRedis, prepareRedis } from './redis.ts';

/** The private servers of a data directory; an absent one was not asked for. */
export interface LocalServices {
  readonly redisUrl: string | undefined;
  readonly databaseUrl: string | undefined;
  /** Stops both, in reverse order, within bounds; gives the data directory back. */
  stop(): Promise<void>;
}

export interface LocalServicesOptions {
  readonly dataDir: string;
  readonly redis: boolean;
  readonly postgres: boolean;
  /** The redis-server to run; looked for on the PATH when undefined. */
  readonly redisServer: string | undefined;
  /** Called when a server died without being stopped; it is restarted on the same port. */
  readonly onExit: OnExit;
}

/** Two ports for the two servers. */
async function choosePorts(): Promise<readonly [postgres: number, redis: number]> {
  try {
    const first = await freePort(PRIVATE_PORTS);
    return [first, await freePort(PRIVATE_PORTS, first)];
  } catch {
    throw new SetupError(
      'No free port on 127.0.0.1 for the private servers; set REDIS_URL and DATABASE_URL.',
    );
  }
}

/** One random password for both servers, made once per data directory. */
function openPassword(dataDir: string) {
  const path = join(dataDir, 'password');
  try {
    return { value: readFileSync(path, 'utf8').trim(), isNew: false, keep: () => {} };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const value = randomBytes(24).toString('hex');
  // Kept once PostgreSQL knows it: in the other order, a crash in between would lock us out.
  const keep = () => {
    writeFileSync(`${path}.new`, `${value}\n`, { mode: 0o600 });
    renameSync(`${path}.new`, path);
  };
  return { value, isNew: true, keep };
}

/**
 * Makes a folder and those above it, one at a time: `recursive` of Node 20 never returns where nothing can be made in a folder
 * that is there, as in /proc.
 */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** Makes the data directory and takes it for this process alone. */
function openDataDir(path: string) {
  try {
    makeFolder(path);
    // By one name only, or the next start would not know its own servers' command lines.
    const dataDir = realpathSync(path);
    const unlock = lockDataDir(dataDir);
    return { dataDir, unlock, password: openPassword(dataDir) };
  } catch (error) {
    if (error instanceof SetupError) throw error;
    throw new SetupError(`DATA_DIR ${path} cannot be used: ${(error as Error).message}.`);
  }
}

/**
 * Starts a private PostgreSQL and a private Redis on loopback, with their data under `dataDir`, and keeps them
 * running. What an earlier primary left behind there is ended first. Throws a SetupError when that cannot work,
 * and when another process already uses the directory.
 */
export async function startLocalServices(options: LocalServicesOptions): Promise<LocalServices> {
  if (process.platform === 'win32' && (options.redis || options.postgres)) {
    throw new SetupError('There are no private servers on Windows; set REDIS_URL and DATABASE_URL.');
  }
  const { dataDir, unlock, password } = openDataDir(options.dataDir);
  const guard = startGuard();
  const servers: (KeptServer | undefined)[] = [undefined, undefined];

  const stop = async () => {
    for (const server of servers.splice(0).reverse()) await server?.stop();
    await guard.release();
    unlock();
  };
  const startPostgres = async (port: number) => {
    const spec = await preparePostgres(dataDir, port, password);
    password.keep();
    servers[0] = await keepServer(spec, guard, options.onExit);
    return postgresUrl(port, password.value);
  };
  const startRedis = async (port: number) => {
    const spec = prepareRedis(dataDir, port, password.value, options.redisServer);
    servers[1] = await keepServer(spec, guard, options.onExit);
    return `redis://:${password.value}@127.0.0.1:${port}`;
  };

  const [postgresPort, redisPort] = await choosePorts();
  // An orphan is ended also where its like is no longer asked for.
  const [postgres, redis] = await Promise.allSettled([
    endOrphanedPostgres(dataDir).then(() => (options.postgres ? startPostgres(postgresPort) : undefined)),
    endOrphanedRedis(dataDir).then(() => (options.redis ? startRedis(redisPort) : undefined)),
  ]);
  for (const result of [postgres, redis]) {
    if (result.status === 'fulfilled') continue;
    await stop();
    throw result.reason;
  }
  let stopped: Promise<void> | undefined;
  return {
    databaseUrl: postgres.status === 'fulfilled' ? postgres.value : undefined,
    redisUrl: redis.status === 'fulfilled' ? redis.value : undefined,
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
  };
}
