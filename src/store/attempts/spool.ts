import { randomUUID } from 'node:crypto';
import { closeSync, existsSync, ftruncateSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Unavailable } from '../errors.ts';

/** A segment this large is one COPY of some 50,000 rows: large enough to be cheap, small enough to be soon there. */
const SEGMENT_BYTES_MAX = 4 << 20;
/** A segment is finished after this time, however small: what was attempted is readable about a second later. */
const SEGMENT_AGE_MAX_MS = 1_000;
/** Suffixes of a segment that is being written, and of one that waits to be shipped. */
export const OPEN = '.open';
export const FINISHED = '.segment';

/** One checkout attempt; absent words were missing or malformed. */
export interface Attempt {
  readonly atMs: number;
  readonly saleId: string | undefined;
  readonly userId: string | undefined;
  readonly itemId: string | undefined;
  /** `accepted`, or the `code` of the refusal. */
  readonly outcome: string;
  /** The checkout code that was answered. */
  readonly code: string | undefined;
  readonly requestId: string;
}

/** A worker's own spool of checkout attempts. The primary ships finished segments to Postgres. */
export interface AttemptLog {
  /**
   * Resolves once the attempt is in the spool file, at the end of this turn of the event loop, together with all
   * others of the turn: it then survives the death of this process. Rejects with Unavailable when the disk refuses it.
   */
  record(attempt: Attempt): Promise<void>;
  /** Finishes the segment under way. */
  close(): void;
}

/** Opens the spool of one worker process in `dir`; `run` is the service's run, told from others by the primary. */
export function openAttemptLog(dir: string, slot: number, run: string): AttemptLog {
  let segment = newSegment(dir, run);
  let lastFinished = '';
  let lines = '';
  let turn: Promise<void> | undefined;
  let stamp = stampOf(0);

  const append = () => {
    const text = lines;
    lines = '';
    turn = undefined;
    writeWhole(segment.fd, text, segment.bytes);
    segment.bytes += text.length;
    if (segment.bytes >= SEGMENT_BYTES_MAX) finish();
  };

  /** Hands the segment to the shipper and begins the next one. */
  const finish = () => {
    try {
      const full = segment;
      segment = newSegment(dir, run);
      lastFinished = finishSegment(full);
    } catch {
      // On a full disk there is no new file: go on with the old segment, and let the next write fail its request.
    }
  };

  const aging = setInterval(() => {
    // While nothing is shipped (Postgres is away), one growing segment is better than a file a second.
    if (segment.bytes > 0 && !existsSync(lastFinished)) finish();
  }, SEGMENT_AGE_MAX_MS);

  return {
    record(attempt) {
      if (attempt.atMs !== stamp.ms) stamp = stampOf(attempt.atMs);
      lines += `${stamp.text}\t${slot}\t${attempt.saleId ?? '\\N'}\t${attempt.userId ?? '\\N'}\t${attempt.itemId ?? '\\N'}\t${attempt.outcome}\t${attempt.code ?? '\\N'}\t${attempt.requestId}\n`;
      turn ??= new Promise((resolve, reject) => {
        setImmediate(() => {
          try {
            append();
            resolve();
          } catch (error) {
            reject(new Unavailable(`the attempt log cannot be written: ${(error as Error).message}`));
          }
        });
      });
      return turn;
    },
    close() {
      clearInterval(aging);
      finishSegment(segment);
    },
  };
}

interface Segment {
  readonly path: string;
  readonly fd: number;
  bytes: number;
}

/** The name identifies the segment in Postgres, so it must be unique over all boxes and times. */
function newSegment(dir: string, run: string): Segment {
  const path = join(dir, `${run}-${process.pid}-${randomUUID()}`);
  return { path, fd: openSync(path + OPEN, 'wx'), bytes: 0 };
}

/** Who writes or wrote a segment: the run of the service, and the process. */
export function parseSegmentName(name: string): { run: string; pid: number } {
  const [run = '', pid] = name.split('-');
  return { run, pid: Number(pid) };
}

/** Returns the path of the finished segment. */
function finishSegment({ path, fd, bytes }: Segment): string {
  closeSync(fd);
  if (bytes > 0) renameSync(path + OPEN, path + FINISHED);
  else rmSync(path + OPEN);
  return path + FINISHED;
}

/** Writes all of an ASCII text at `position`, or nothing: what a full disk accepted is cut off again. */
function writeWhole(fd: number, text: string, position: number): void {
  try {
    for (let done = 0; done < text.length; ) {
      done += writeSync(fd, done === 0 ? text : text.slice(done), position + done, 'latin1');
    }
  } catch (error) {
    ftruncateSync(fd, position);
    throw error;
  }
}

const stampOf = (ms: number) => ({ ms, text: new Date(ms).toISOString() });
