/** What processes have used so far, read from /proc; zeros where there is none (macOS). */
import { readdirSync, readFileSync } from 'node:fs';

/** Ticks of /proc/<pid>/stat per second; 100 on every Linux that runs Node. */
const TICKS = 100;
const PAGE_BYTES = 4_096;

/** The processes of a service by what they do; a baseline has the first two. */
export const ROLES = ['primary', 'workers', 'redis', 'postgres'] as const;
export type Role = (typeof ROLES)[number];
/** CPU time in µs, by role. */
export type CpuByRole = Readonly<Record<Role, number>>;

export interface Usage {
  readonly cpuUs: CpuByRole;
  /** Resident memory, in bytes. Postgres' processes share theirs, and it is counted with each. */
  readonly rssBytes: number;
}

interface Stat {
  readonly pid: number;
  readonly parent: number;
  readonly cpuUs: number;
  readonly rssBytes: number;
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
  return {
    pid,
    parent: field(4),
    cpuUs: us(field(14) + field(15)),
    rssBytes: field(24) * PAGE_BYTES,
    reapedUs: us(field(16) + field(17)),
  };
}

function roleOf(pid: number, root: number): Role {
  if (pid === root) return 'primary';
  const command = readCommand(pid);
  if (/redis-server|valkey-server/.test(command)) return 'redis';
  return /postgres/.test(command) ? 'postgres' : 'workers';
}

function readCommand(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    return ''; // gone
  }
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
  const cpuUs = { primary: 0, workers: 0, redis: 0, postgres: 0 };
  let rssBytes = 0;
  for (const stat of stats) {
    if (!inTree.has(stat.pid)) continue;
    cpuUs[roleOf(stat.pid, root)] += stat.cpuUs;
    rssBytes += stat.rssBytes;
  }
  return { cpuUs, rssBytes };
}

/** CPU time per request between two readings, in µs. */
export function cpuPerRequest(before: Usage, after: Usage, requests: number): CpuByRole {
  const of = (role: Role) => (after.cpuUs[role] - before.cpuUs[role]) / requests;
  return { primary: of('primary'), workers: of('workers'), redis: of('redis'), postgres: of('postgres') };
}

/** CPU time of all roles together. */
export const sumCpu = (cpu: CpuByRole): number => ROLES.reduce((sum, role) => sum + cpu[role], 0);

/** CPU time of the children of this process that have ended, in µs. */
export const reapedCpuUs = (): number => readStat(process.pid)?.reapedUs ?? 0;

function listPids(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}
