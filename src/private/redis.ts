import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { SetupError } from '../config.ts';
import type { ServerSpec } from './kept-server.ts';
import { commandLine, endProcess, type StopStep } from './processes.ts';

const STOP_STEPS: readonly StopStep[] = [
  ['SIGTERM', 8_000],
  ['SIGKILL', 2_000],
];
const ANSWER_MS = 500;

function findProgram(wanted: string | undefined): string {
  const names = wanted === undefined ? ['redis-server', 'valkey-server'] : [wanted];
  const found = names.find((name) => spawnSync(name, ['--version']).status === 0);
  if (found !== undefined) return found;
  throw new SetupError(
    wanted === undefined
      ? 'There is no redis-server on the PATH; install it, or set REDIS_SERVER to its path or REDIS_URL to a running Redis.'
      : `REDIS_SERVER is "${wanted}", which is no program that can be run.`,
  );
}

/** The settings a decision store wants; each says why. */
function settings(dataDir: string, password: string): string {
  const quote = (text: string) => `"${text.replace(/["\\]/g, '\\$&')}"`;
  return `# Written by flashsale at every start; changes are lost.
bind 127.0.0.1
protected-mode yes
requirepass ${password}
daemonize no
# Keeps the command line as it was started: the next start knows its own by it.
set-proc-title no
pidfile ${quote(join(dataDir, 'redis.pid'))}
dir ${quote(join(dataDir, 'redis'))}
# Postgres remembers; the file spares a rebuild after a restart. A sync per write would cost every decision one.
appendonly yes
appendfsync everysec
no-appendfsync-on-rewrite no
save ""
# A key that was evicted would be an item that cannot be sold.
maxmemory-policy noeviction
# A few connections per worker; more than 128 and Redis warns on kernels that allow no more (before 5.4).
tcp-backlog 128
`;
}

/** Ends the Redis that an earlier primary left behind: the recorded pid, and started by us on this very directory. */
export async function endOrphanedRedis(dataDir: string): Promise<void> {
  const pidFile = join(dataDir, 'redis.pid');
  let pid: number;
  try {
    pid = Number(readFileSync(pidFile, 'utf8'));
  } catch {
    return;
  }
  const isOurs = commandLine(pid)?.includes(` ${join(dataDir, 'redis.conf')} --port `) ?? false;
  if (isOurs && !(await endProcess(pid, STOP_STEPS))) {
    throw new SetupError(
      `An earlier redis-server (process ${pid}) still uses DATA_DIR ${dataDir} and cannot be ended.`,
    );
  }
  rmSync(pidFile, { force: true });
}

/** One PING over a connection of its own; the drivers belong to the store. */
function answersPing(port: number, password: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    let reply = '';
    const finish = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(ANSWER_MS, () => finish(false));
    socket.on('error', () => finish(false));
    socket.on('close', () => finish(false));
    socket.on('connect', () => socket.write(`AUTH ${password}\r\nPING\r\n`));
    // While it loads its file it answers -LOADING.
    socket.on('data', (chunk) => {
      reply += chunk;
      if (reply.split('\r\n').length > 2) finish(reply.includes('+PONG'));
    });
  });
}

/** Prepares the private Redis of a data directory. */
export function prepareRedis(dataDir: string, port: number, password: string, program?: string): ServerSpec {
  mkdirSync(join(dataDir, 'redis'), { recursive: true, mode: 0o700 });
  const conf = join(dataDir, 'redis.conf');
  rmSync(conf, { force: true });
  // The password is in a file that only we can read: a command line is everybody's.
  writeFileSync(conf, settings(dataDir, password), { mode: 0o600 });
  return {
    name: 'redis',
    program: findProgram(program),
    args: [conf, '--port', String(port)],
    options: { cwd: dataDir },
    logFile: join(dataDir, 'redis.log'),
    isReady: () => answersPing(port, password),
    stopSteps: STOP_STEPS,
    urlVariable: 'REDIS_URL',
  };
}
