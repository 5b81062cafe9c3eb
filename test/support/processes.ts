import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { signalTo } from '../../campaigns/faults/processes.ts';
import { startOf } from '../../src/private/processes.ts';

export interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
  /** Tells it from a later process of the same pid. */
  readonly start: string;
}

/** All processes that descend from `root`, and `root` itself. */
export function treeOf(root: number): ProcessRow[] {
  const table = execFileSync('ps', ['-A', '-ww', '-o', 'pid=,ppid=,command='], { encoding: 'utf8' });
  const rows = [...table.matchAll(/^\s*(\d+)\s+(\d+)\s+(.*)$/gm)].map((row) => ({
    pid: Number(row[1]),
    parent: Number(row[2]),
    command: row[3]!,
  }));
  const tree = rows.filter(({ pid }) => pid === root);
  for (let i = 0; i < tree.length; i++) tree.push(...rows.filter(({ parent }) => parent === tree[i]!.pid));
  return tree.map((row) => ({ ...row, start: startOf(row.pid) ?? '' })).filter(({ start }) => start !== '');
}

/** Those of the processes that still run. */
export const stillRunning = (rows: readonly ProcessRow[]): ProcessRow[] =>
  rows.filter(({ pid, start }) => startOf(pid) === start);

/** Sends a signal to each of the processes that still runs; one may end with another that was sent it before. */
export function signalAll(rows: readonly ProcessRow[], signal: NodeJS.Signals): void {
  for (const { pid } of stillRunning(rows)) signalTo(pid, signal);
}

/** Tries until `attempt` returns something other than undefined and false; what it throws counts as not yet. */
export async function until<T>(
  what: string,
  attempt: () => T | Promise<T>,
  ms = 30_000,
): Promise<Exclude<T, undefined | false>> {
  let last: unknown;
  for (const end = Date.now() + ms; Date.now() < end; await sleep(20)) {
    try {
      const result = await attempt();
      if (result !== undefined && result !== false) return result as Exclude<T, undefined | false>;
    } catch (error) {
      last = error;
    }
  }
  throw new Error(`not within ${ms} ms: ${what}`, { cause: last });
}
