/** A private service for a measurement, on a new data directory and a free port, removed afterwards. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { readServiceFile, type ServiceFile } from '../src/primary/service-file.ts';
import { freePort as freePortIn } from '../src/private/free-port.ts';
import { openConnection } from './client.ts';

const MAIN = fileURLToPath(new URL('../service/primary/main.js', import.meta.url));
/** The first start of a private Postgres initialises its cluster. */
const READY_MS = 60_000;
const POLL_MS = 10;

export interface OwnService extends ServiceFile {
  /** From the start of the process to the first /readyz that says yes. */
  readonly readyMs: number;
  /** Stops it and resolves when it is gone; its data stays. */
  stop(): Promise<void>;
}

/** Makes a data directory, and returns it with how to remove it. */
export function makeDataDir(): { dataDir: string; remove: () => void } {
  const dataDir = mkdtempSync(join(tmpdir(), 'flashsale-perf-'));
  return { dataDir, remove: () => rmSync(dataDir, { recursive: true, force: true }) };
}

/** Starts a service with everything on; its log goes to `service.log` in the data directory. */
export async function startService(
  dataDir: string,
  env: Readonly<Record<string, string>> = {},
): Promise<OwnService> {
  const logFile = join(dataDir, 'service.log');
  const log = openSync(logFile, 'a');
  const own = { DATA_DIR: dataDir, PORT: String(await freePort()), HOST: '127.0.0.1', ...env };
  const beganMs = performance.now();
  const child = spawn(process.execPath, [MAIN], {
    env: { ...process.env, ...own },
    stdio: ['ignore', log, log],
  });
  const gone = once(child, 'exit');
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await gone;
  };
  try {
    const service = await untilReady(dataDir, () => child.exitCode === null && child.signalCode === null);
    return { ...service, readyMs: performance.now() - beganMs, stop };
  } catch (error) {
    await stop();
    throw new Error(`the service did not start (${(error as Error).message}); see ${logFile}`);
  }
}

async function untilReady(dataDir: string, isAlive: () => boolean): Promise<ServiceFile> {
  const deadline = performance.now() + READY_MS;
  while (performance.now() < deadline && isAlive()) {
    const service = readServiceFile(dataDir);
    if (service && (await isReady(service.url))) return service;
    await sleep(POLL_MS);
  }
  throw new Error(isAlive() ? `not ready within ${READY_MS} ms` : 'it left');
}

async function isReady(url: string): Promise<boolean> {
  const connection = openConnection(url);
  try {
    return (await connection.request('GET', '/readyz')).status === 200;
  } catch {
    return false;
  } finally {
    connection.close();
  }
}

/** Apart from those of private servers, so that two that start at once do not want the same. */
const SERVICE_PORTS = { from: 10_000, to: 19_000 };

/** A port for a service, or for what stands before it. */
export const freePort = (): Promise<number> => freePortIn(SERVICE_PORTS);
