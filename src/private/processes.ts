import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 20;

/** A signal, and how long the process may take to leave before the next one. */
export type StopStep = readonly [signal: NodeJS.Signals, waitMs: number];

const onLinux = process.platform === 'linux';

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function ps(pid: number, columns: string): string | undefined {
  const { stdout } = spawnSync('ps', ['-ww', '-o', columns, '-p', String(pid)], { encoding: 'utf8' });
  return stdout?.trim() || undefined;
}

/**
 * What distinguishes this process from every other with its pid: boot and start time.
 * Undefined when no such process runs; a zombie does not run.
 */
export function startOf(pid: number): string | undefined {
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  if (!onLinux) {
    const [state, ...started] = ps(pid, 'stat=,lstart=')?.split(/\s+/) ?? [];
    return state === undefined || state.startsWith('Z') ? undefined : started.join(' ');
  }
  // The name in brackets may hold anything, so count from its end: state is the 1st word, start time the 20th.
  const words = read(`/proc/${pid}/stat`)
    ?.replace(/^.*\) /s, '')
    .split(' ');
  if (words === undefined || words[0] === 'Z' || words[0] === 'X') return undefined;
  return `${read('/proc/sys/kernel/random/boot_id')?.trim()} ${words[19]}`;
}

/** The command line a process was started with, its words joined by spaces. */
export function commandLine(pid: number): string | undefined {
  if (startOf(pid) === undefined) return undefined;
  if (onLinux) return read(`/proc/${pid}/cmdline`)?.replaceAll('\0', ' ').trim();
  return ps(pid, 'command=');
}

/** Sends the signals one after the other, each with its time, until that very process is gone. */
export async function endProcess(pid: number, steps: readonly StopStep[]): Promise<boolean> {
  const start = startOf(pid);
  const isGone = () => start === undefined || startOf(pid) !== start;
  for (const [signal, waitMs] of steps) {
    if (isGone()) return true;
    try {
      process.kill(pid, signal);
      // A stopped process reacts to nothing but this and SIGKILL.
      process.kill(pid, 'SIGCONT');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') return true;
      throw error;
    }
    for (const end = Date.now() + waitMs; Date.now() < end && !isGone(); ) await sleep(POLL_MS);
  }
  return isGone();
}
