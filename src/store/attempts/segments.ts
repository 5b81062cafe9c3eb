import { mkdirSync, readdirSync, renameSync, rmSync, statSync, truncateSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { from as copyFrom } from 'pg-copy-streams';
import { type Postgres, statement } from '../postgres.ts';
import { FINISHED, OPEN, parseSegmentName } from './spool.ts';

const addSegment = statement('add_segment');
const copyAttempts = statement('copy_attempts');

const REFUSED = '.refused';
const DAY_MS = 86_400_000;

/** Sets a segment aside that Postgres refuses: a person must look at it, and it is not retried. */
export function setAside(path: string): void {
  renameSync(path, path + REFUSED);
}

/** Deletes segments that were set aside more than `keepDays` ago: attempts are kept no longer. Returns their paths. */
export function dropRefused(dir: string, keepDays: number): string[] {
  const before = Date.now() - keepDays * DAY_MS;
  const old = readdirSync(dir)
    .filter((name) => name.endsWith(REFUSED))
    .map((name) => join(dir, name))
    .filter((path) => statSync(path).mtimeMs < before);
  for (const path of old) rmSync(path);
  return old;
}

/** Makes the spool directory, and returns it. */
export function openSpool(dir: string): string {
  mkdirSync(dir, { recursive: true });
  return dir;
}

/** Finished segments in `dir`, the bytes they hold, and the number of those that were put aside. */
export function listSegments(dir: string): { paths: string[]; bytes: number; refused: number } {
  const all = readdirSync(dir);
  const names = all.filter((name) => name.endsWith(FINISHED));
  const paths = names.map((name) => join(dir, name));
  const bytes = paths.reduce((sum, path) => sum + statSync(path).size, 0);
  return { paths, bytes, refused: all.filter((name) => name.endsWith(REFUSED)).length };
}

/**
 * Finishes open segments whose writers are dead. `isWritten` says whether a process still writes a segment of a
 * run of the service. A last line that is incomplete was never answered, and is cut off.
 */
export async function adoptSegments(
  dir: string,
  isWritten: (run: string, pid: number) => boolean,
): Promise<void> {
  for (const name of readdirSync(dir)) {
    const { run, pid } = parseSegmentName(name);
    if (!name.endsWith(OPEN) || isWritten(run, pid)) continue;
    const path = join(dir, name);
    const end = await endOfLastLine(path);
    if (end === 0) {
      rmSync(path);
      continue;
    }
    truncateSync(path, end);
    renameSync(path, path.slice(0, -OPEN.length) + FINISHED);
  }
}

/** The offset behind the last line feed, found from the end. */
async function endOfLastLine(path: string): Promise<number> {
  const file = await open(path);
  try {
    let end = (await file.stat()).size;
    const chunk = Buffer.alloc(64 << 10);
    while (end > 0) {
      const start = Math.max(0, end - chunk.length);
      const { bytesRead } = await file.read(chunk, 0, end - start, start);
      const feed = chunk.subarray(0, bytesRead).lastIndexOf(10);
      if (feed >= 0) return start + feed + 1;
      end = start;
    }
    return 0;
  } finally {
    await file.close();
  }
}

/**
 * Appends a finished segment to the attempt log, exactly once: the segment is named in the same transaction.
 * Then deletes the file. Throws as `Postgres.transaction` does.
 */
export async function shipSegment(postgres: Postgres, path: string): Promise<void> {
  const id = path.slice(path.lastIndexOf('/') + 1, -FINISHED.length);
  // Read all of it, some 4 MiB, before the transaction, so that a disk error does not count as one of Postgres.
  const bytes = await readFile(path);
  await postgres.transaction('checkout_attempts', async (client) => {
    const added = await client.query({ ...addSegment, values: [id, countLines(bytes)] });
    if (added.rowCount === 0) return;
    await pipeline([bytes], client.query(copyFrom(copyAttempts.text)));
  });
  rmSync(path);
}

function countLines(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) lines++;
  return lines;
}
