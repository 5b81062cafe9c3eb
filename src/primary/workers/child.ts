import cluster, { type Worker } from 'node:cluster';
import type { ToPrimary, ToWorker, WorkerStatus } from '../../messages.ts';

/** A worker that is not ready by then is killed. */
const READY_MS = 15_000;
/** A worker drains for 8 s at most; one that has not left after this is ended. */
const LEAVE_MS = 10_000;

export interface ChildListeners {
  readonly onMessage: (pid: number, message: ToPrimary) => void;
  /** Called when it has exited and all its messages were read. */
  readonly onSilent: (pid: number) => void;
  /** Called when it has exited, or could not be forked. */
  readonly onExit: (child: Child, how: string) => void;
}

/** One worker process, from its fork to its exit. */
export interface Child {
  readonly slot: number;
  readonly pid: number;
  readonly startedAtMs: number;
  /** Resolves when it serves; rejects when it dies before, or is late. */
  readonly ready: Promise<void>;
  readonly serving: boolean;
  /** Its last report; undefined before the first. */
  readonly status: WorkerStatus | undefined;
  /** It was told to leave. */
  readonly leaving: boolean;
  readonly isDead: boolean;
  send(message: ToWorker): void;
  /** Tells it to drain; resolves when it has exited, killed if it takes too long. */
  leave(): Promise<void>;
  kill(): void;
}

export function forkChild(
  slot: number,
  env: Readonly<Record<string, string>>,
  { onMessage, onSilent, onExit }: ChildListeners,
): Child {
  const worker = cluster.fork({ ...env, WORKER_SLOT: String(slot) });
  const pid = worker.process.pid as number;
  const state = { serving: false, leaving: false, status: undefined as WorkerStatus | undefined };
  worker.once('disconnect', () => onSilent(pid));
  const gone = untilGone(worker);
  void gone.then((how) => {
    state.serving = false;
    onExit(child, how);
  });
  const ready = new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => worker.process.kill('SIGKILL'), READY_MS);
    worker.on('message', (message: ToPrimary) => {
      if (message.type === 'status') state.status = { slot, pid, ...message };
      else if (message.type !== 'ready') return onMessage(pid, message);
      else {
        clearTimeout(late);
        state.serving = true;
        resolve();
      }
    });
    void gone.then((how) => {
      clearTimeout(late);
      reject(new Error(`worker ${slot} left before it was ready (${how})`));
    });
  });
  ready.catch(() => {});

  const send = (message: ToWorker) => {
    if (worker.isConnected()) worker.send(message, undefined, () => {});
  };
  const child: Child = {
    slot,
    pid,
    startedAtMs: Date.now(),
    ready,
    get serving() {
      return state.serving;
    },
    get status() {
      return state.status;
    },
    get leaving() {
      return state.leaving;
    },
    get isDead() {
      return worker.isDead();
    },
    send,
    async leave() {
      if (worker.isDead()) return;
      state.leaving = true;
      const deadline = setTimeout(() => worker.process.kill('SIGKILL'), LEAVE_MS);
      send({ type: 'drain' });
      await gone;
      clearTimeout(deadline);
    },
    kill: () => void worker.process.kill('SIGKILL'),
  };
  return child;
}

/** Resolves with how a worker ended. */
const untilGone = (worker: Worker): Promise<string> =>
  new Promise((resolve) => {
    worker.once('exit', (code, signal) => resolve(signal ?? `code ${code}`));
    // A broken channel shows as an exit; a failed fork has none.
    worker.on('error', (error) => {
      if (worker.process.pid === undefined) resolve(error.message);
    });
  });
