import { pino } from 'pino';
import pretty from 'pino-pretty';

export type Log = pino.Logger;

/**
 * The log of one process: JSON lines to stdout, readable ones on a terminal. JSON is written in chunks, so
 * `flush` belongs at the end of the process.
 */
export function openLog(level: string, process_: string): { log: Log; flush: () => void } {
  const options = {
    level,
    base: { process: process_, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: pino.stdSerializers.err },
  };
  if (process.stdout.isTTY) {
    const stream = pretty({
      colorize: true,
      sync: true,
      singleLine: true,
      ignore: 'pid',
      translateTime: 'HH:MM:ss',
    });
    return { log: pino(options, stream), flush: () => {} };
  }
  const destination = pino.destination({ dest: 1, sync: false, minLength: 12 << 10 });
  // What is waiting is written at least this often, so that a quiet service can be watched.
  const flushing = setInterval(() => destination.flush(), 250).unref();
  return {
    log: pino(options, destination),
    flush: () => {
      clearInterval(flushing);
      destination.flushSync();
    },
  };
}
