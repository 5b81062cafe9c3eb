import { closeSync, fstatSync, openSync, readSync, renameSync, statSync } from 'node:fs';

const LOG_MAX_BYTES = 10 * 2 ** 20;
/** Enough for the last lines; a log may have grown for weeks. */
const TAIL_BYTES = 16 * 1024;

/** Opens a server's log for appending. One that grew too large makes room first; the one before is kept. */
export function openLog(path: string): number {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > LOG_MAX_BYTES) renameSync(path, `${path}.old`);
  return openSync(path, 'a', 0o600);
}

function tailOf(path: string, from: number): string {
  const fd = openSync(path, 'r');
  try {
    const { size } = fstatSync(fd);
    const start = Math.max(from, size - TAIL_BYTES);
    const tail = Buffer.alloc(Math.max(size - start, 0));
    readSync(fd, tail, 0, tail.length, start);
    return tail.toString();
  } finally {
    closeSync(fd);
  }
}

/** The line of the log, from this offset on, that best explains why the server exited. */
export function lastWords(path: string, from: number): string {
  try {
    const lines = tailOf(path, from).split('\n').filter(Boolean);
    return (
      lines.findLast((line) => /FATAL|PANIC|ERROR|rror:/.test(line)) ?? lines.at(-1) ?? 'it said nothing'
    );
  } catch (error) {
    return (error as Error).message; // the folder was removed: this says so
  }
}
