import type { Log } from '../log.ts';

/** Workers drain for 8 s, what is left of the attempt log is shipped, and both private servers save their data. */
const DEADLINE_MS = 30_000;
/**
 * One Ctrl-C arrives twice when npm passes on what the terminal has sent to all of us already (with bash as its shell it
 * does). A person needs longer for a second one.
 */
const ECHO_MS = 300;

/** Closes what was opened, in reverse order, when the process is told to leave; a second signal leaves at once. */
export interface Shutdown {
  add(name: string, close: () => Promise<void>): void;
  run(exitCode: number): Promise<void>;
}

export function createShutdown(log: Log, flush: () => Promise<void>): Shutdown {
  const opened: { name: string; close: () => Promise<void> }[] = [];
  let running = false;

  const leave = (exitCode: number) => void flush().finally(() => process.exit(exitCode));

  const run = async (exitCode: number) => {
    if (running) return;
    running = true;
    setTimeout(() => {
      log.error('shutdown took too long');
      leave(1);
    }, DEADLINE_MS).unref();
    for (const { name, close } of opened.splice(0).reverse()) {
      await close().catch((err: unknown) => log.error({ err, part: name }, 'could not be closed'));
    }
    log.info('closed');
    leave(exitCode);
  };

  let first: { readonly signal: NodeJS.Signals; readonly atMs: number } | undefined;
  const onSignal = (signal: NodeJS.Signals) => {
    const atMs = performance.now();
    if (first?.signal === signal && atMs - first.atMs < ECHO_MS) return;
    if (running) leave(1);
    first = { signal, atMs };
    log.info({ signal }, 'closing');
    void run(0);
  };
  process.on('SIGINT', onSignal);
  if (process.stdout.isTTY) process.on('SIGHUP', onSignal);
  process.on('SIGTERM', onSignal);
  return { add: (name, close) => void opened.push({ name, close }), run };
}
