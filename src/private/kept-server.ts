import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { SetupError } from '../config.ts';
import type { ProcessGuard } from './process-guard.ts';
import { endProcess, type StopStep } from './processes.ts';
import { lastWords, openLog } from './server-log.ts';

export type ServerName = 'redis' | 'postgres';
export type OnExit = (name: ServerName, detail: string) => void;

/** How to start one private server, to see that it is ready, and to stop it. */
export interface ServerSpec {
  readonly name: ServerName;
  readonly program: string;
  readonly args: readonly string[];
  /** Environment, directory and user. */
  readonly options: SpawnOptions;
  readonly logFile: string;
  isReady(pid: number): Promise<boolean>;
  readonly stopSteps: readonly StopStep[];
  /** The variable that replaces this server by another one. */
  readonly urlVariable: string;
}

export interface KeptServer {
  stop(): Promise<void>;
}

const READY_POLL_MS = 10;
/** Loading a large append-only file or replaying 2 GB of WAL takes a minute on a slow disk. */
const READY_MAX_MS = 120_000;
/** A killed server is back within a second; one that dies in a loop is tried every two seconds. */
const BACK_OFF_MS = { first: 50, max: 2_000 };
/** A server that ran this long had no trouble starting. */
const SETTLED_MS = 2_000;

/** Starts a server, waits until it is ready, and restarts it whenever it dies without being stopped. */
export async function keepServer(spec: ServerSpec, guard: ProcessGuard, onExit: OnExit): Promise<KeptServer> {
  let child: ChildProcess | undefined;
  let stopping = false;
  let backOffMs = BACK_OFF_MS.first;

  /** Resolves when it is ready; throws when it exits before, or is not ready in time. */
  const launch = async () => {
    const fd = openLog(spec.logFile);
    const from = fstatSync(fd).size;
    // Detached: a process group of its own, so that the terminal's Ctrl-C reaches the primary only.
    const stdio: SpawnOptions['stdio'] = ['ignore', fd, fd];
    const started = spawn(spec.program, spec.args, { ...spec.options, detached: true, stdio });
    closeSync(fd);
    const startedMs = Date.now();
    let end: string | undefined;
    let ready = false;
    started.once('error', (error) => {
      end = error.message;
    });
    started.once('exit', (code, signal) => {
      guard.watch(spec.name, undefined);
      end = signal ? `was ended by ${signal}` : `left with code ${code}: ${lastWords(spec.logFile, from)}`;
      if (Date.now() - startedMs > SETTLED_MS) backOffMs = BACK_OFF_MS.first;
      if (ready) void revive(end);
    });
    child = started;
    if (started.pid !== undefined) guard.watch(spec.name, started.pid);
    while (end === undefined && !stopping) {
      if (started.pid !== undefined && (await spec.isReady(started.pid))) {
        ready = end === undefined;
        if (ready) return;
      }
      if (Date.now() - startedMs > READY_MAX_MS) {
        if (started.pid !== undefined) await endProcess(started.pid, spec.stopSteps);
        throw new Error(`was not ready in ${READY_MAX_MS / 1000} s; see ${spec.logFile}`);
      }
      await sleep(READY_POLL_MS);
    }
    throw new Error(end ?? 'was stopped');
  };

  /** Tries until it runs again, or is stopped. */
  const revive = async (detail: string): Promise<void> => {
    for (let reason: string | undefined = detail; reason !== undefined && !stopping; ) {
      onExit(spec.name, reason);
      await sleep(backOffMs);
      backOffMs = Math.min(backOffMs * 2, BACK_OFF_MS.max);
      if (stopping) return;
      reason = await launch().then(
        () => undefined,
        (error: Error) => error.message,
      );
    }
  };

  await launch().catch((error: Error) => {
    throw new SetupError(
      `The private ${spec.name} in DATA_DIR could not be started (${error.message}); fix that, or set ${spec.urlVariable}.`,
    );
  });
  return {
    async stop() {
      stopping = true;
      if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      await endProcess(child.pid, spec.stopSteps);
      await Promise.race([gone, sleep(1_000, undefined, { ref: false })]);
    },
  };
}
