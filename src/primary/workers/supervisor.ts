import cluster, { type Worker } from 'node:cluster';
import type { ToPrimary, ToWorker, WorkerStatus } from '../../messages.ts';
import { type Child, forkChild } from './child.ts';

/** A worker that lived this long was healthy: its successor starts at once. */
const HEALTHY_MS = 10_000;
const BACKOFF_FIRST_MS = 100;
const BACKOFF_MAX_MS = 5_000;
/** Workers that miss five of these in a row drain and exit (`worker/primary-link.ts`). */
const HEARTBEAT_MS = 1_000;

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
  /** Path of what a worker runs. */
  readonly program: string;
  /** Environment of the workers, beside their slot. */
  readonly env: Readonly<Record<string, string>>;
}

export interface SupervisorListeners {
  readonly onMessage: (pid: number, message: ToPrimary) => void;
  /** Called when a worker serves, to send it what it must know. */
  readonly onReady: (slot: number, pid: number) => void;
  /** Called when a worker has exited and all its messages were read. */
  readonly onSilent: (pid: number) => void;
  /** Called when a worker has exited; `expected` when it was told to. */
  readonly onExit: (slot: number, pid: number, how: string, expected: boolean) => void;
  /** Called when a worker in no slot is killed, which only a bug can cause. */
  readonly onStray: (pid: number) => void;
}

/** Keeps one worker in every slot: a dead one is replaced at once, or with back-off when it dies in a loop. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: short inner functions share its state.
export function createSupervisor({ workers, program, env }: SupervisorOptions): Supervisor {
  const slots = new Map<number, Child>();
  /** How long the successor waits after the next death in a slot; 0: not at all. */
  const backoffs = new Map<number, number>();
  /** Workers that still serve while their successors start, and then drain. */
  const replaced = new Set<Child>();
  let listeners: SupervisorListeners;
  let stopping = false;
  let rolling: Promise<void> | undefined;
  let starts = 0;
  const port = prepareCluster(program);
  const living = () => [...slots.values(), ...replaced].filter((child) => !child.isDead);

  const fork = (slot: number, backoffMs: number): Child => {
    const { onMessage, onSilent } = listeners;
    const child = forkChild(slot, env, { onMessage, onSilent, onExit });
    starts++;
    slots.set(slot, child);
    backoffs.set(slot, backoffMs);
    child.ready.then(
      () => listeners.onReady(slot, child.pid),
      () => {},
    );
    return child;
  };

  const onExit = (child: Child, how: string) => {
    const { slot, pid } = child;
    replaced.delete(child);
    listeners.onExit(slot, pid, how, child.leaving || stopping);
    if (stopping || slots.get(slot) !== child) return;
    const before = backoffs.get(slot) ?? 0;
    const backoffMs = nextBackoff(before, Date.now() - child.startedAtMs);
    // The first death is replaced at once; only a loop of them waits.
    const waitMs = before === 0 ? 0 : backoffMs;
    setTimeout(() => {
      if (!stopping && slots.get(slot) === child) fork(slot, backoffMs);
    }, waitMs);
  };

  /** Replaces the worker that is in the slot now: it may have been replaced since the roll began. */
  const rollSlot = async (slot: number) => {
    const old = slots.get(slot) as Child;
    replaced.add(old);
    try {
      await fork(slot, 0).ready;
    } catch (error) {
      replaced.delete(old);
      // The old worker keeps its slot if it still serves.
      if (old.isDead) fork(slot, BACKOFF_FIRST_MS);
      else slots.set(slot, old);
      throw error;
    }
    await old.leave();
  };

  const rollSlots = async () => {
    for (const slot of [...slots.keys()]) if (!stopping) await rollSlot(slot);
  };

  const broadcast = (message: ToWorker) => {
    for (const child of living()) child.send(message);
  };
  const endStrays = () => {
    const known = living().map(({ pid }) => pid);
    for (const worker of Object.values(cluster.workers ?? {}) as Worker[]) {
      const pid = worker.process.pid as number;
      if (known.includes(pid) || worker.isDead()) continue;
      listeners.onStray(pid);
      worker.process.kill('SIGKILL');
    }
  };
  const beat = () => {
    broadcast({ type: 'heartbeat' });
    endStrays();
  };

  return {
    async start(hearing) {
      listeners = hearing;
      for (let slot = 0; slot < workers; slot++) fork(slot, 0);
      setInterval(beat, HEARTBEAT_MS).unref();
      await Promise.all([...slots.values()].map(({ ready }) => ready));
    },
    broadcast,
    send(pid, message) {
      for (const child of living()) if (child.pid === pid) child.send(message);
    },
    get port() {
      return port();
    },
    statuses: () => [...slots.values()].flatMap(({ status }) => status ?? []),
    servingSlots: () => [...slots].flatMap(([slot, { serving }]) => (serving ? slot : [])),
    starts: () => starts,
    pids: () => living().map(({ pid }) => pid),
    roll() {
      rolling ??= rollSlots().finally(() => {
        rolling = undefined;
      });
      return rolling;
    },
    async stop() {
      stopping = true;
      await Promise.all(living().map((child) => child.leave()));
    },
  };
}

/** Sets node:cluster up; returns how to learn the port that the workers share. */
function prepareCluster(program: string): () => number {
  let port = 0;
  cluster.on('listening', (_, address) => {
    port = address.port;
  });
  // Workers accept connections themselves. With node's default, where the primary hands them out, a connection on its way
  // to a worker that is killed hangs for ever, and the primary keeps its socket: 22 of them after 25 kills.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  cluster.setupPrimary({ exec: program });
  return () => port;
}

function nextBackoff(beforeMs: number, livedMs: number): number {
  return livedMs >= HEALTHY_MS ? 0 : Math.min(beforeMs * 2 || BACKOFF_FIRST_MS, BACKOFF_MAX_MS);
}
