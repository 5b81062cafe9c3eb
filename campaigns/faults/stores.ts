import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerSpec } from '../../src/private/kept-server.ts';
import { preparePostgres } from '../../src/private/postgres.ts';
import { postgresUrl } from '../../src/private/postgres-cluster.ts';
import { prepareRedis } from '../../src/private/redis.ts';
import { childrenOf, signalTo } from './processes.ts';
import { startProxy, type TcpProxy } from './proxy.ts';

export const PASSWORD = 'faults';

/** A server that the harness starts, kills and restarts. */
export interface OwnedServer {
  readonly pid: number;
  start(): Promise<void>;
  /** Sends SIGKILL to the process, and to its children when it is Postgres; resolves when it is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>;
}

export function ownServer(spec: ServerSpec): OwnedServer {
  let child: ChildProcess | undefined;
  return {
    get pid() {
      return child?.pid ?? 0;
    },
    async start() {
      const fd = openSync(spec.logFile, 'a', 0o600);
      child = spawn(spec.program, spec.args, { ...spec.options, detached: true, stdio: ['ignore', fd, fd] });
      closeSync(fd);
      for (const end = Date.now() + 30_000; Date.now() < end; await sleep(10)) {
        if (child.exitCode !== null)
          throw new Error(`${spec.name} left with code ${child.exitCode}: ${spec.logFile}`);
        if (await spec.isReady(child.pid as number)) return;
      }
      throw new Error(`${spec.name} is not ready: ${spec.logFile}`);
    },
    async kill(signal = 'SIGKILL') {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      // A postmaster passes signals on to its children, except SIGKILL.
      const children = signal === 'SIGKILL' ? childrenOf(child.pid as number) : [];
      for (const pid of [child.pid as number, ...children]) signalTo(pid, signal);
      await gone;
    },
  };
}

/** A Redis and a Postgres of the harness, each behind a proxy. */
export interface OwnedStores {
  readonly redis: OwnedServer;
  readonly postgres: OwnedServer;
  readonly redisProxy: TcpProxy;
  readonly postgresProxy: TcpProxy;
  /** What the service is told. */
  readonly redisUrl: string;
  readonly databaseUrl: string;
  readonly redisPort: number;
  readonly postgresPort: number;
  readonly appendOnlyDir: string;
  stop(): Promise<void>;
}

export async function startStores(dataDir: string, ports: readonly [number, number]): Promise<OwnedStores> {
  const redis = ownServer(prepareRedis(dataDir, ports[0], PASSWORD));
  const postgres = ownServer(await preparePostgres(dataDir, ports[1], { value: PASSWORD, isNew: true }));
  await Promise.all([redis.start(), postgres.start()]);
  const redisProxy = await startProxy(ports[0]);
  const postgresProxy = await startProxy(ports[1]);
  return {
    redis,
    postgres,
    redisProxy,
    postgresProxy,
    redisUrl: `redis://:${PASSWORD}@127.0.0.1:${redisProxy.port}`,
    databaseUrl: postgresUrl(postgresProxy.port, PASSWORD),
    redisPort: ports[0],
    postgresPort: ports[1],
    appendOnlyDir: join(dataDir, 'redis', 'appendonlydir'),
    async stop() {
      redisProxy.close();
      postgresProxy.close();
      await Promise.all([redis.kill(), postgres.kill('SIGQUIT')]);
    },
  };
}

/** The file that Redis appends to now. */
export function appendOnlyFile(dir: string): { path: string; bytes: number } {
  const name = readdirSync(dir)
    .filter((file) => file.endsWith('.incr.aof'))
    .sort()
    .at(-1) as string;
  const path = join(dir, name);
  return { path, bytes: statSync(path).size };
}

/** Takes the end of the file away, as if it had never reached the disk. */
export function cutFile(path: string, bytes: number): void {
  truncateSync(path, Math.max(0, bytes));
}
