import { hostname } from 'node:os';
import type { BoxStatus } from '../../messages.ts';
import { beatBox, leaveBoxes, type OwnBox } from '../../store/boxes.ts';
import type { Postgres } from '../../store/postgres.ts';
import { VERSION } from '../../version.ts';
import { every } from '../every.ts';
import type { Shutdown } from '../shutdown.ts';
import type { Supervisor } from '../workers/supervisor.ts';

/** How late the boxes learn of each other; one small statement per box. */
const BEAT_MS = 2_000;

export interface BoxesOptions {
  /** Names this run of the service. */
  readonly run: string;
  readonly postgres: Postgres;
  readonly supervisor: Pick<Supervisor, 'port' | 'servingSlots'>;
  readonly isLeader: () => boolean;
  readonly shutdown: Shutdown;
  readonly onError: (error: unknown) => void;
}

/**
 * Tells the other boxes of this one, and learns of them. Returns a function that names all boxes, this one first; what it
 * knows of the others is as old as the last heartbeat that went through, and their silence says so.
 */
export function startBoxes(options: BoxesOptions): () => BoxStatus[] {
  const { run, postgres, supervisor, isLeader, shutdown, onError } = options;
  const own = (): OwnBox => ({
    ...{ id: run, host: hostname(), port: supervisor.port, release: VERSION },
    ...{ workers: supervisor.servingSlots().length, leader: isLeader() },
  });
  let others: readonly BoxStatus[] = [];
  let readAtMs = performance.now();
  const beating = every(
    BEAT_MS,
    async () => {
      if (!postgres.isUp) return;
      others = await beatBox(postgres, own());
      readAtMs = performance.now();
    },
    onError,
  );
  shutdown.add('boxes', async () => {
    await beating.stop();
    if (postgres.isUp) await leaveBoxes(postgres, run);
  });
  void beating.now();
  return () => {
    const { id, release, workers, leader } = own();
    const sinceS = (performance.now() - readAtMs) / 1_000;
    const aged = others.map((box) => ({
      ...box,
      uptimeS: box.uptimeS + sinceS,
      silentS: box.silentS + sinceS,
    }));
    return [{ id, release, workers, leader, uptimeS: process.uptime(), silentS: 0 }, ...aged];
  };
}
