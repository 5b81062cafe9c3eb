import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Log } from '../../log.ts';
import type { BoxStatus, MetricJson, ToPrimary } from '../../messages.ts';
import { commandLine } from '../../private/processes.ts';
import type { BuyerKeys } from '../buyer-keys.ts';
import { keptFor } from '../kept-for.ts';
import type { Metrics } from '../metrics/own.ts';
import type { Scrape } from '../metrics/scrape.ts';
import type { Shutdown } from '../shutdown.ts';
import { shareConnections } from './fair-share.ts';
import { createMembership } from './membership.ts';
import type { SalesBoard } from './sales-board.ts';
import type { Supervisor } from './supervisor.ts';

/** Consoles are told each second; those of several workers hear of the same reading. */
const FIGURES_MS = 900;

/** A directory for the sockets between workers; short, since the path of a socket must stay below 108 bytes. */
export function makePeersDir(shutdown: Shutdown): string {
  const dir = mkdtempSync(join(tmpdir(), 'flashsale-'));
  shutdown.add('peers', async () => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/**
 * Whether a process still writes segments of the attempt log of a run of the service. A worker of an earlier run is
 * usually dead, and its pid may be reused; one that was stopped (SIGSTOP) when its primary died may yet resume and write.
 */
export function isWriting(workers: readonly number[], run: string, segmentRun: string, pid: number): boolean {
  if (workers.includes(pid)) return segmentRun === run;
  return /worker\/main\.js/.test(commandLine(pid) ?? '');
}

export interface WorkersOptions {
  readonly supervisor: Supervisor;
  readonly board: SalesBoard;
  readonly buyerKeys: BuyerKeys | undefined;
  readonly metrics: Metrics;
  readonly scrape: Scrape;
  readonly log: Log;
  readonly isSpoolFull: () => boolean;
  /** All boxes that are known. */
  readonly boxes: () => readonly BoxStatus[];
  /** Makes new sales known to Redis and to the board. */
  readonly refreshSales: () => Promise<void>;
  /** Hears what a worker has counted so far. */
  readonly onCounted: ((pid: number, counted: readonly MetricJson[]) => void) | undefined;
}

/** Starts the workers, sends each what it must know, and answers their questions. Resolves when all serve. */
export async function startWorkers(options: WorkersOptions): Promise<void> {
  const { supervisor, board, buyerKeys, metrics, scrape, log } = options;
  const membership = createMembership(supervisor);

  const answers = {
    'cluster-status': async () => supervisor.statuses(),
    boxes: async () => options.boxes(),
    metrics: scrape.text,
    figures: keptFor(FIGURES_MS, scrape.text),
    'refresh-sales': async () => {
      await options.refreshSales();
      await board.untilSeen();
      return true;
    },
  };
  const onMessage = async (pid: number, message: ToPrimary) => {
    if (message.type === 'hello') {
      // The sales come last: then the worker serves.
      buyerKeys?.show(pid);
      board.show(pid);
    }
    if (message.type === 'keys-wanted') buyerKeys?.wanted();
    if (message.type === 'rates')
      for (const other of supervisor.pids()) if (other !== pid) supervisor.send(other, message);
    if (message.type === 'sales-seen') board.seen(pid, message.version);
    if (message.type === 'metrics') {
      scrape.heard(pid, message);
      options.onCounted?.(pid, message.counted);
    }
    if (message.type !== 'ask') return;
    // A question that fails gets no answer: the worker has its own deadline.
    const value = await answers[message.question]().catch((err: unknown) => log.warn({ err }, 'no answer'));
    if (value !== undefined) supervisor.send(pid, { type: 'answer', id: message.id, value });
  };

  await supervisor.start({
    onMessage,
    onReady: (_, pid) => {
      membership.show(pid);
      supervisor.send(pid, { type: 'spool-full', full: options.isSpoolFull() });
      membership.changed();
    },
    onSilent: scrape.left,
    onStray: (pid) => log.error({ worker_pid: pid }, 'a worker in no slot was ended'),
    onExit: (slot, pid, how, expected) => {
      if (!expected) {
        metrics.workerDeaths.n++;
        log.error({ slot, worker_pid: pid, how }, 'a worker died');
      }
      membership.changed();
    },
  });
  membership.publish();
  shareConnections(supervisor);
  await board.untilSeen();
}
