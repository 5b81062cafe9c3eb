/** What processes have used so far, read from /proc; zeros where there is none (macOS). */
import { readdirSync, readFileSync } from 'node:fs';

/** Ticks of /proc/<pid>/stat per second; 100 on every Linux that runs Node. */
const TICKS = 100;
const PAGE_BYTES = 4_096;

export interface Usage {
  /** CPU time of all its processes, in µs. */
  readonly cpuUs: number;
  /** Resident memory, in bytes. Postgres' processes share theirs, and it is counted with each. */
  readonly rssBytes: number;
}

interface Stat {
  readonly pid: number;
  readonly parent: number;
  readonly usage: Usage;
  readonly reapedUs: number;
}

function readStat(pid: number): Stat | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined; // gone
  }
  // The name, in parentheses, may hold anything; fields are counted behind it, from the third.
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const field = (n: number) => fields[n - 3] as number;
  const us = (ticks: number) => (ticks * 1_000_000) / TICKS;
  const usage = { cpuUs: us(field(14) + field(15)), rssBytes: field(24) * PAGE_BYTES };
  return { pid, parent: field(4), usage, reapedUs: us(field(16) + field(17)) };
}

/** What a process and all its descendants have used. */
export function usageOfTree(root: number): Usage {
  const stats = listPids().flatMap((pid) => readStat(pid) ?? []);
  const inTree = new Set([root]);
  // A child may come before its parent in the list.
  for (let size = 0; size !== inTree.size; ) {
    size = inTree.size;
    for (const { pid, parent } of stats) if (inTree.has(parent)) inTree.add(pid);
  }
  const usages = stats.filter(({ pid }) => inTree.has(pid)).map(({ usage }) => usage);
  const sum = (name: keyof Usage) => usages.reduce((total, usage) => total + usage[name], 0);
  return { cpuUs: sum('cpuUs'), rssBytes: sum('rssBytes') };
}

/** CPU time of the children of this process that have ended, in µs. */
export const reapedCpuUs = (): number => readStat(process.pid)?.reapedUs ?? 0;

function listPids(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}
