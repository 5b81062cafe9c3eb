import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SetupError } from '../config.ts';
import type { ServerSpec } from './kept-server.ts';
import { changePassword, createCluster, ENVIRONMENT, findBinaries } from './postgres-cluster.ts';
import { choosePostgresUser } from './postgres-user.ts';
import { commandLine, endProcess, type StopStep } from './processes.ts';

/** Fast shutdown, then immediate (recovers at the next start); SIGKILL only when it ignores both. */
const STOP_STEPS: readonly StopStep[] = [
  ['SIGINT', 15_000],
  ['SIGQUIT', 8_000],
  ['SIGKILL', 2_000],
];

/** What a small, write-heavy, private server wants. fsync, synchronous_commit, full_page_writes stay on. */
function settings(port: number): readonly string[] {
  const pairs = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '', // its path may be too long (107 bytes), and nobody needs it
    max_connections: 420, // 64 workers with 6 each, and the primary's 8
    shared_buffers: '64MB', // what a sale touches; the kernel caches the rest (docs/performance.md)
    max_wal_size: '2GB', // a checkpoint every few minutes, not every few seconds, under full load
    wal_level: 'minimal', // nobody replicates from it
    max_wal_senders: 0,
    jit: 'off', // statements take microseconds; compiling one takes milliseconds
    io_method: 'sync', // data fits in memory; three processes fewer
    logging_collector: 'off', // we hold the log file
    log_checkpoints: 'off',
  };
  return Object.entries(pairs).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

/** The pid that a running or killed server left in its directory. */
function recordedPid(clusterDir: string): { pid: number; lines: string[] } | undefined {
  try {
    const lines = readFileSync(join(clusterDir, 'postmaster.pid'), 'utf8').split('\n');
    return { pid: Number(lines[0]), lines };
  } catch {
    return undefined;
  }
}

/** Ends the PostgreSQL that an earlier primary left behind: the recorded pid, and started on this very directory. */
export async function endOrphanedPostgres(dataDir: string): Promise<void> {
  const clusterDir = join(dataDir, 'postgres');
  const recorded = recordedPid(clusterDir);
  if (recorded === undefined) return;
  const { pid, lines } = recorded;
  const command = commandLine(pid);
  if (command?.includes(` -D ${clusterDir} -c port=`)) {
    if (await endProcess(pid, STOP_STEPS)) return;
    throw new SetupError(
      `An earlier postgres (process ${pid}) still uses DATA_DIR ${dataDir} and cannot be ended.`,
    );
  }
  // It is dead. Its pid may be reused by now, or be its zombie's where process 1 does not reap, and
  // PostgreSQL would refuse to start. It accepts its parent's pid, though, and goes on to check the shared
  // memory that the file names: safer than removing the file.
  writeFileSync(join(clusterDir, 'postmaster.pid'), [process.pid, ...lines.slice(1)].join('\n'));
}

/** Prepares the private PostgreSQL of a data directory, and makes its cluster when there is none. */
export async function preparePostgres(
  dataDir: string,
  port: number,
  password: { readonly value: string; readonly isNew: boolean },
): Promise<ServerSpec> {
  const clusterDir = join(dataDir, 'postgres');
  const binaries = findBinaries();
  const user = choosePostgresUser(binaries.postgres, dataDir, clusterDir);
  try {
    if (!statSync(join(clusterDir, 'PG_VERSION'), { throwIfNoEntry: false })) {
      await createCluster(dataDir, binaries, user, password.value);
    } else if (password.isNew) {
      await changePassword(clusterDir, binaries, user, password.value);
    }
  } catch (error) {
    const reason = (error as Error).message;
    throw new SetupError(
      `The private PostgreSQL in ${dataDir} could not be prepared (${reason}); set DATA_DIR or DATABASE_URL.`,
    );
  }
  const [program, args] = user.command(binaries.postgres, ['-D', clusterDir, ...settings(port)]);
  return {
    name: 'postgres',
    program,
    args,
    options: { cwd: '/', env: ENVIRONMENT, ...user.ids },
    logFile: join(dataDir, 'postgres.log'),
    // The server itself writes its state into the eighth line.
    isReady: async (pid) => {
      const recorded = recordedPid(clusterDir);
      return recorded?.pid === pid && recorded.lines[7]?.trim() === 'ready';
    },
    stopSteps: STOP_STEPS,
    urlVariable: 'DATABASE_URL',
  };
}
