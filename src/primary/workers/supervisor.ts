import cluster, { type Worker } from 'node:cluster';
import { fileURLToPath } from 'node:url';
import type { ToPrimary, ToWorker, WorkerStatus } from '../../messages.ts';

/** A worker that lived this long was well: its successor starts at once. */
const HEALTHY_MS = 10_000;
const BACKOFF_FIRST_MS = 100;
const BACKOFF_MAX_MS = 5_000;
/** A worker that is not ready by then will never be. */
const READY_MS = 15_000;
/** A worker drains for 8 s at most; one that has not left after this is ended. */
const LEAVE_MS = 10_000;

interface Slot {
  worker: Worker;
  /** Resolves when the worker serves; rejects when it dies before or is late. */
  ready: Promise<void>;
  startedAtMs: number;
  status: WorkerStatus | undefined;
  serving: boolean;
  backoffMs: number;
}

export interface Supervisor {
  /** Forks all workers; resolves when all are ready. Called once. */
  start(listeners: SupervisorListeners): Promise<void>;
  broadcast(message: ToWorker): void;
  send(pid: number, message: ToWorker): void;
  /** The port that the workers share. */
  readonly port: number;
  statuses(): WorkerStatus[];
  /** Slots whose worker serves. */
  servingSlots(): number[];
  /** Workers forked so far. */
  starts(): number;
  /** Pids of the workers that live. */
  pids(): number[];
  /** Replaces every worker, one slot after the other, the new one first. */
  roll(): Promise<void>;
  /** Drains every worker; resolves when all have left. */
  stop(): Promise<void>;
}

export interface SupervisorOptions {
  readonly workers: number;
  /** Environment of the workers, beside their slot. */
  readonly env: Readonly<Record<string, string>>;
}

export interface SupervisorListeners {
  readonly onMessage: (pid: number, message: ToPrimary) => void;
  /** A worker serves: tell it what it must know. */
  readonly onReady: (slot: number, pid: number) => void;
  /** Nothing more will be heard from a worker: it has left, and all that it sent was read. */
  readonly onSilent: (pid: number) => void;
  /** A worker has left; `expected` when it was told to. */
  readonly onExit: (slot: number, pid: number, how: string, expected: boolean) => void;
}

/** Keeps one worker in every slot: a dead one is replaced at once, or with back-off when it dies in a loop. */
export function createSupervisor(options: SupervisorOptions): Supervisor {
  const slots = new Map<number, Slot>();
  let listeners: SupervisorListeners;
  const leaving = new Set<number>();
  let stopping = false;
  let rolling: Promise<void> | undefined;
  let port = 0;
  let starts = 0;

  cluster.on('listening', (_, address) => {
    port = address.port;
  });
  // Workers accept for themselves. Handed out by the primary (node's default), a connection on its way to a worker that
  // is killed hangs for ever, and the primary keeps its socket: 22 of them after 25 kills.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  cluster.setupPrimary({ exec: fileURLToPath(new URL('../../worker/main.js', import.meta.url)) });

  const fork = (slot: number, backoffMs: number): Slot => {
    const worker = cluster.fork({ ...options.env, WORKER_SLOT: String(slot) });
    const pid = worker.process.pid as number;
    starts++;
    worker.once('disconnect', () => listeners.onSilent(pid));
    const ready = new Promise<void>((resolve, reject) => {
      const late = setTimeout(() => worker.process.kill('SIGKILL'), READY_MS);
      worker.on('message', (message: ToPrimary) => {
        if (message.type === 'ready') {
          clearTimeout(late);
          (slots.get(slot) as Slot).serving = true;
          listeners.onReady(slot, pid);
          resolve();
        } else if (message.type === 'status') {
          const state = slots.get(slot);
          if (state?.worker === worker) state.status = { slot, pid, ...message };
        } else listeners.onMessage(pid, message);
      });
      const gone = (how: string) => {
        clearTimeout(late);
        reject(new Error(`worker ${slot} left before it was ready (${how})`));
        onExit(slot, worker, how);
      };
      worker.once('exit', (code, signal) => gone(signal ?? `code ${code}`));
      // A broken channel shows as an exit; a process that could not be made has none.
      worker.on('error', (error) => {
        if (pid === undefined) gone(error.message);
      });
    });
    ready.catch(() => {});
    const state: Slot = {
      worker,
      ready,
      startedAtMs: Date.now(),
      status: undefined,
      serving: false,
      backoffMs,
    };
    slots.set(slot, state);
    return state;
  };

  const onExit = (slot: number, worker: Worker, how: string) => {
    const pid = worker.process.pid as number;
    const expected = leaving.delete(pid) || stopping;
    listeners.onExit(slot, pid, how, expected);
    const state = slots.get(slot);
    if (state?.worker === worker) state.serving = false;
    if (stopping || state?.worker !== worker) return;
    const lived = Date.now() - state.startedAtMs;
    const backoffMs =
      lived >= HEALTHY_MS ? 0 : Math.min(state.backoffMs * 2 || BACKOFF_FIRST_MS, BACKOFF_MAX_MS);
    // The first death is replaced at once; only a loop of them waits.
    const waitMs = state.backoffMs === 0 ? 0 : backoffMs;
    setTimeout(() => {
      if (!stopping && slots.get(slot) === state) fork(slot, backoffMs);
    }, waitMs);
  };

  const leave = (worker: Worker): Promise<void> =>
    new Promise((resolve) => {
      if (worker.isDead()) return resolve();
      const deadline = setTimeout(() => worker.process.kill('SIGKILL'), LEAVE_MS);
      worker.once('exit', () => {
        clearTimeout(deadline);
        resolve();
      });
      leaving.add(worker.process.pid as number);
      sendTo(worker, { type: 'drain' });
    });

  const rollSlots = async () => {
    for (const [slot, old] of [...slots]) {
      if (stopping) return;
      try {
        await fork(slot, 0).ready;
      } catch (error) {
        // The old worker keeps its slot if it still serves.
        if (old.worker.isDead()) fork(slot, BACKOFF_FIRST_MS);
        else slots.set(slot, old);
        throw error;
      }
      await leave(old.worker);
    }
  };

  const sendTo = (worker: Worker, message: ToWorker) => {
    if (worker.isConnected()) worker.send(message, undefined, () => {});
  };

  return {
    async start(hearing) {
      listeners = hearing;
      for (let slot = 0; slot < options.workers; slot++) fork(slot, 0);
      await Promise.all([...slots.values()].map((state) => state.ready));
    },
    broadcast(message) {
      for (const { worker } of slots.values()) sendTo(worker, message);
    },
    send(pid, message) {
      for (const { worker } of slots.values()) if (worker.process.pid === pid) sendTo(worker, message);
    },
    get port() {
      return port;
    },
    statuses: () => [...slots.values()].flatMap((state) => state.status ?? []),
    servingSlots: () => [...slots].flatMap(([slot, { serving }]) => (serving ? slot : [])),
    starts: () => starts,
    pids: () =>
      [...slots.values()].filter(({ worker }) => !worker.isDead()).map((s) => s.worker.process.pid as number),
    roll() {
      rolling ??= rollSlots().finally(() => {
        rolling = undefined;
      });
      return rolling;
    },
    async stop() {
      stopping = true;
      const workers = Object.values(cluster.workers ?? {}) as Worker[];
      await Promise.all(workers.map(leave));
    },
  };
}
