import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../perf/service.ts';
import { withRedis } from './dumps.ts';
import { type OwnedServer, ownServer, PASSWORD } from './stores.ts';

/** A redis-server that is part of something larger: a master with replicas, a Sentinel, a node of a Cluster. */
export interface BareRedis extends OwnedServer {
  readonly port: number;
  readonly url: string;
}

/** What every data node is set up with. */
export const DATA_NODE = [
  'appendonly yes',
  'appendfsync everysec',
  'save ""',
  'maxmemory-policy noeviction',
  'repl-diskless-sync-delay 0',
  `masterauth ${PASSWORD}`,
] as const;

/** Prepares one in a directory of its own below `parent`, on a free port, with these lines in its configuration. */
export async function bareRedis(
  parent: string,
  name: string,
  lines: readonly string[],
  { isSentinel = false }: { readonly isSentinel?: boolean } = {},
): Promise<BareRedis> {
  const [dir, port] = [join(parent, name), await freePort()];
  mkdirSync(dir, { recursive: true });
  const conf = join(dir, 'redis.conf');
  const common = [`port ${port}`, 'bind 127.0.0.1', 'daemonize no', `dir ${dir}`, `requirepass ${PASSWORD}`];
  // Sentinels and nodes of a Cluster write what they find out into it, or beside it.
  writeFileSync(conf, `${[...common, ...lines].join('\n')}\n`, { mode: 0o600 });
  const url = `redis://:${PASSWORD}@127.0.0.1:${port}`;
  const server = ownServer({
    name: 'redis',
    program: process.env.REDIS_SERVER ?? 'redis-server',
    args: [conf, ...(isSentinel ? ['--sentinel'] : [])],
    options: { cwd: dir },
    logFile: join(dir, 'redis.log'),
    isReady: () => withRedis(url, async (client) => (await client.ping()) === 'PONG').catch(() => false),
    stopSteps: [],
    urlVariable: 'REDIS_URL',
  });
  return {
    port,
    url,
    get pid() {
      return server.pid;
    },
    start: server.start,
    kill: server.kill,
  };
}
