import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../perf/service.ts';
import { readServiceFile, type ServiceFile } from '../../src/primary/service-file.ts';
import { atEnd } from './at-end.ts';
import { type Http, openHttp } from './http.ts';
import { type ProcessRow, signalAll, stillRunning, treeOf, until } from './processes.ts';
import { temporaryDir } from './stores.ts';
import { copyTemplate } from './template.ts';

export { freePort };

const MAIN = fileURLToPath(new URL('../../service/primary/main.js', import.meta.url));

export type LogLine = Readonly<Record<string, unknown>> & { readonly msg?: string };
type Env = Readonly<Record<string, string>>;

/** A process of the service, open or not. */
export interface ServiceProcess {
  readonly child: ChildProcess;
  readonly dataDir: string;
  readonly port: number;
  /** Its log so far; what is no JSON is under `raw`. */
  readonly log: readonly LogLine[];
  /** What it said on stderr. */
  readonly complaints: () => string;
  /** Resolves with the exit code, or the signal that ended it. */
  readonly exit: Promise<number | string>;
}

export interface Service extends ServiceProcess, ServiceFile {
  readonly http: Http;
  /** Resolves with the first log line of that message, past or to come. */
  saw(msg: string): Promise<LogLine>;
  /** Pids of the workers, by slot. */
  workers(): Promise<number[]>;
  /** All its processes. */
  tree(): ProcessRow[];
  /** The processes of its private Redis or Postgres. */
  server(name: 'redis' | 'postgres'): ProcessRow[];
  /** Ends it by a signal; asserts exit code 0 and that none of its processes is left. */
  stop(signal?: 'SIGTERM' | 'SIGINT'): Promise<void>;
}

/** Runs `node dist/service/primary/main.js` with this environment only, and at most `filesMax` open files per process; ended with the file in any case. */
export async function runService(env: Env = {}, filesMax?: number): Promise<ServiceProcess> {
  const dataDir = env.DATA_DIR ?? temporaryDir();
  if (env.DATA_DIR === undefined && env.DATABASE_URL === undefined) copyTemplate(dataDir);
  const port = Number(env.PORT ?? (await freePort()));
  const { PATH = '', REDIS_SERVER = '' } = process.env;
  const command: [string, string[]] =
    filesMax === undefined
      ? [process.execPath, [MAIN]]
      : ['sh', ['-c', `ulimit -n ${filesMax}; exec "$0" "$1"`, process.execPath, MAIN]];
  const child = spawn(...command, {
    env: {
      PATH,
      REDIS_SERVER,
      WORKERS: '1',
      SALE_ITEMS: '50',
      // Under load the lines of all requests are more work for the test than for the service.
      LOG_REQUESTS: 'debug',
      ...env,
      DATA_DIR: dataDir,
      PORT: String(port),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const log: LogLine[] = [];
  let stderr = '';
  createInterface(child.stdout).on('line', (line) => void log.push(parseLine(line)));
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const exit = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string);
  atEnd(async () => {
    if (child.exitCode === null && child.signalCode === null) signalAll(treeOf(child.pid!), 'SIGKILL');
    await exit;
  });
  return { child, dataDir, port, log, complaints: () => stderr, exit };
}

function parseLine(line: string): LogLine {
  try {
    return JSON.parse(line);
  } catch {
    return { raw: line };
  }
}

/** Starts the service and waits until it is open. */
export async function startService(env: Env = {}, filesMax?: number): Promise<Service> {
  const run = await runService(env, filesMax);
  const saw = (msg: string) => until(`log line "${msg}"`, () => run.log.find((line) => line.msg === msg));
  const opened = await Promise.race([
    until('open', () => run.log.some((line) => line.msg === 'open'), 30_000),
    run.exit,
  ]);
  assert.equal(opened, true, `it left with ${opened}: ${run.complaints()}${JSON.stringify(run.log)}`);
  const file = readServiceFile(run.dataDir)!;
  const http = openHttp(file.url);

  const stop: Service['stop'] = async (signal = 'SIGTERM') => {
    http.close();
    const tree = treeOf(file.pid);
    run.child.kill(signal);
    assert.equal(await run.exit, 0, run.complaints());
    assert.deepEqual(stillRunning(tree), []);
    assert.equal(readServiceFile(run.dataDir), undefined);
  };
  // Every file that uses a service sees it end well, unless a test has ended it.
  atEnd(() => (run.child.exitCode === null && run.child.signalCode === null ? stop() : http.close()));

  return {
    ...run,
    ...file,
    http,
    saw,
    workers: () =>
      until('the state of every worker', async () => {
        const { body } = await http.get('/health');
        const { workers } = body as { workers: { slot: number; pid: number }[] };
        const pids = workers.sort((a, b) => a.slot - b.slot).map(({ pid }) => pid);
        return pids.length === Number(env.WORKERS ?? 1) ? pids : undefined;
      }),
    tree: () => treeOf(file.pid),
    server: (name) => {
      const pidFile = name === 'redis' ? 'redis.pid' : 'postgres/postmaster.pid';
      return treeOf(Number.parseInt(readFileSync(join(run.dataDir, pidFile), 'utf8'), 10));
    },
    stop,
  };
}
