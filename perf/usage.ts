/** What processes have used so far, and what they hold, read from /proc; zeros where there is none (macOS). */
import { readdirSync, readFileSync } from 'node:fs';

/** Ticks of /proc/<pid>/stat per second; 100 on every Linux that runs Node. */
const TICKS = 100;

/** The processes of a service by what they do; a baseline has the first two. */
export const ROLES = ['primary', 'workers', 'redis', 'postgres'] as const;
export type Role = (typeof ROLES)[number];
/** CPU time in µs, by role. */
export type CpuByRole = Readonly<Record<Role, number>>;
/** Memory in bytes, by role. */
export type MemoryByRole = Readonly<Record<Role, number>>;

interface Stat {
  readonly pid: number;
  readonly parent: number;
  readonly cpuUs: number;
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

/** A process and all its descendants. */
function statsOfTree(root: number): Stat[] {
  const stats = listPids().flatMap((pid) => readStat(pid) ?? []);
  const inTree = new Set([root]);
  // A child may come before its parent in the list.
  for (let size = 0; size !== inTree.size; ) {
    size = inTree.size;
    for (const { pid, parent } of stats) if (inTree.has(parent)) inTree.add(pid);
  }
  return stats.filter(({ pid }) => inTree.has(pid));
}

function sumByRole(root: number, of: (stat: Stat) => number): Readonly<Record<Role, number>> {
  const sums = { primary: 0, workers: 0, redis: 0, postgres: 0 };
  for (const stat of statsOfTree(root)) sums[roleOf(stat.pid, root)] += of(stat);
  return sums;
}

/** What a process and all its descendants have used of the CPUs. */
export const cpuOfTree = (root: number): CpuByRole => sumByRole(root, ({ cpuUs }) => cpuUs);

/**
 * What a process and all its descendants hold of the memory. A page that processes share counts with each in equal parts (PSS of
 * proc(5)): Postgres' buffers, which every backend maps, would count once per connection otherwise.
 */
export const memoryOfTree = (root: number): MemoryByRole => sumByRole(root, ({ pid }) => shareOfMemory(pid));

function shareOfMemory(pid: number): number {
  try {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
    return Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) * 1_024;
  } catch {
    return 0; // gone, or somebody else's
  }
}

/** CPU time per request between two readings, in µs. */
export function cpuPerRequest(before: CpuByRole, after: CpuByRole, requests: number): CpuByRole {
  const of = (role: Role) => (after[role] - before[role]) / requests;
  return { primary: of('primary'), workers: of('workers'), redis: of('redis'), postgres: of('postgres') };
}

/** All roles together. */
export const sumRoles = (by: Readonly<Record<Role, number>>): number =>
  ROLES.reduce((sum, role) => sum + by[role], 0);

/** CPU time of the children of this process that have ended, in µs. */
export const reapedCpuUs = (): number => readStat(process.pid)?.reapedUs ?? 0;

function listPids(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}
