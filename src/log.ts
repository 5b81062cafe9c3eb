import { pino } from 'pino';
import { prettyFactory } from 'pino-pretty';
import { CLEAR_ROW } from './terminal.ts';

export type Log = pino.Logger;

/** Text that is worth a write(2). */
const CHUNK_BYTES = 32 << 10;
/** Bytes of lines that wait while stdout is blocked: some seconds of lines. Further lines are dropped. */
const WAITING_BYTES_MAX = 16 << 20;

export interface OpenLog {
  readonly log: Log;
  /** Writes lines that are JSON already, each with its line feed. */
  readonly write: (lines: string) => void;
  /** Lines that stdout did not take in time. */
  readonly dropped: () => number;
  /** To be awaited at the end of the process: writes what waits. A stdout that takes nothing for a second ends the process. */
  readonly flush: () => Promise<void>;
}

/** How long the end of a process waits for stdout. */
const FLUSH_MS = 1_000;
/** So long at most a line waits for others: a quiet service can be watched. */
const WAIT_MS = 250;

/** The log of one process: JSON lines to stdout, in chunks; readable ones on a terminal. */
export function openLog(level: string, process_: string): OpenLog {
  const options = {
    level,
    base: { process: process_, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: pino.stdSerializers.err },
  };
  if (process.stdout.isTTY) {
    const write = writeReadably(process_);
    return { log: pino(options, { write }), write, dropped: () => 0, flush: async () => {} };
  }
  const destination = pino.destination({
    dest: 1,
    sync: false,
    // Lines arrive gathered. The destination's own periodic flush would also sync the file each time.
    minLength: 0,
    maxLength: WAITING_BYTES_MAX,
  });
  let dropped = 0;
  destination.on('drop', (lines: string) => {
    dropped += lines.split('\n').length - 1;
  });
  // A full disk is no reason to stop selling: lines are lost then.
  let isBroken = false;
  destination.on('error', ({ code }: NodeJS.ErrnoException) => {
    isBroken ||= code === 'EPIPE';
  });
  // Gathered here: the destination measures its whole backlog with every line, 3 µs.
  let gathered = '';
  let passing: NodeJS.Timeout | undefined;
  const pass = () => {
    clearTimeout(passing);
    passing = undefined;
    if (gathered !== '') destination.write(gathered);
    gathered = '';
  };
  return {
    log: pino(options, destination),
    write(lines) {
      gathered += lines;
      if (gathered.length >= CHUNK_BYTES) pass();
      else passing ??= setTimeout(pass, WAIT_MS).unref();
    },
    dropped: () => dropped,
    async flush() {
      pass();
      // What could not be written now, pino would try to write at the exit, for ever.
      if (isBroken || !(await isWritten(destination))) destination.flushSync = () => {};
    },
  };
}

/**
 * Resolves with whether all could be written. Where the reader stands still, a write that blocks would hold up the exit as well, and
 * signals with it: nothing but SIGKILL ends such a process.
 */
function isWritten(destination: ReturnType<typeof pino.destination>): Promise<boolean> {
  return new Promise((resolve) => {
    const late = setTimeout(() => process.kill(process.pid, 'SIGKILL'), FLUSH_MS);
    const settle = (written: boolean) => {
      clearTimeout(late);
      resolve(written);
    };
    destination.once('drain', () => settle(true)).once('error', () => settle(false));
    // Nothing, behind all that waits: it drains in any case.
    destination.write('');
  });
}

/** Lines for a person, each at once: nobody reads as fast as a terminal takes them. */
function writeReadably(process_: string): (line: string) => void {
  const format = prettyFactory({
    colorize: process.stdout.hasColors(),
    singleLine: true,
    // The primary's lines are most of them, and `process` names the worker of the others.
    ignore: process_ === 'primary' ? 'pid,process' : 'pid,worker',
    translateTime: 'HH:MM:ss',
  });
  return (line) => {
    const fields = JSON.parse(line);
    // A store that is away is no place in our code: ten rows of stack would only hide the next line.
    if (fields.level === 'warn' && fields.err !== undefined) fields.err = fields.err.message;
    process.stdout.write(CLEAR_ROW + format(fields));
  };
}
