import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { readServiceFile, type ServiceFile } from '../../src/primary/service-file.ts';
import { childrenOf, signalTo } from './processes.ts';

/** Where `dist/`, `lua/` and `sql/` of the code under test lie, unless a planted copy is run. */
export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const START_MS = 40_000;

export interface ServiceOptions {
  readonly root: string;
  readonly dataDir: string;
  readonly port: number;
  readonly env: Readonly<Record<string, string>>;
}

/** One real flashsale: a primary in a process of its own, and all that it starts. */
export interface Service {
  readonly url: string;
  readonly dataDir: string;
  readonly pid: number;
  /** Starts the primary; resolves when it serves, with how long that took. */
  start(): Promise<number>;
  workers(): number[];
  /** Kills the primary and nothing else. */
  kill(): Promise<void>;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
  signal(signal: NodeJS.Signals): void;
  file(): ServiceFile | undefined;
}

export function createService({ root, dataDir, port, env }: ServiceOptions): Service {
  let child: ChildProcess | undefined;
  const pid = () => child?.pid ?? 0;
  const hasLeft = () => child === undefined || child.exitCode !== null || child.signalCode !== null;
  const end = async (signal: NodeJS.Signals) => {
    if (hasLeft()) return child?.exitCode ?? null;
    const gone = once(child as ChildProcess, 'exit');
    signalTo(pid(), signal);
    await gone;
    return (child as ChildProcess).exitCode;
  };

  return {
    url: `http://127.0.0.1:${port}`,
    dataDir,
    get pid() {
      return pid();
    },
    async start() {
      const from = performance.now();
      const log = openSync(join(dataDir, 'service.log'), 'a');
      child = spawn(process.execPath, [join(root, 'dist/src/primary/main.js')], {
        env: {
          PATH: process.env.PATH,
          PORT: String(port),
          DATA_DIR: dataDir,
          WORKERS: '2',
          SALE_ITEMS: '20',
          ...env,
        },
        stdio: ['ignore', log, log],
      });
      closeSync(log);
      while (readServiceFile(dataDir)?.pid !== pid()) {
        if (hasLeft()) throw new Error(`the service left: ${lastLine(dataDir)}`);
        if (performance.now() - from > START_MS) throw new Error(`the service is not ready in ${dataDir}`);
        await sleep(10);
      }
      return Math.round(performance.now() - from);
    },
    workers: () => childrenOf(pid()).filter((each) => commandOf(each).includes('worker/main.js')),
    kill: async () => void (await end('SIGKILL')),
    stop: () => end('SIGTERM'),
    signal: (signal) => signalTo(pid(), signal),
    file: () => readServiceFile(dataDir),
  };
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

const lastLine = (dataDir: string) =>
  readFileSync(join(dataDir, 'service.log'), 'utf8').trim().split('\n').at(-1);
