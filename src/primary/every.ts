/** Work that is repeated until it is stopped, never twice at a time. */
export interface Repeated {
  /** Runs the work once more, now or right after the run under way; resolves when that run is over. */
  now(): Promise<void>;
  /** Begins no further run; resolves when the current one has ended. */
  stop(): Promise<void>;
}

/** Long work watches the signal. */
export type Work = (signal: AbortSignal) => Promise<void>;

/**
 * Repeats `work` about every `ms` milliseconds; between two runs lies at least half of that. Errors go to `onError`, and the work is
 * run again. Long work watches the signal: `stop` aborts it, and an AbortError is no error then.
 * Works whose periods are multiples of one another run in the same moment: a service that does nothing is woken once for all.
 */
export function every(ms: number, work: Work, onError: (error: unknown) => void): Repeated {
  const stopping = new AbortController();
  let running: Promise<void> | undefined;
  let queued: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;

  const run = (): Promise<void> => {
    clearTimeout(timer);
    running = work(stopping.signal)
      .catch((error: unknown) => {
        const isStopped = stopping.signal.aborted && (error as Error).name === 'AbortError';
        if (!isStopped) onError(error);
      })
      .finally(() => {
        running = undefined;
        if (!stopping.signal.aborted && !queued) timer = setTimeout(run, untilNext(ms));
      });
    return running;
  };

  timer = setTimeout(run, untilNext(ms));
  return {
    now() {
      if (stopping.signal.aborted) return Promise.resolve();
      if (!running) return run();
      queued ??= running.then(() => {
        queued = undefined;
        return run();
      });
      return queued;
    },
    async stop() {
      stopping.abort();
      clearTimeout(timer);
      await queued;
      await running;
    },
  };
}

function untilNext(ms: number): number {
  const pause = ms - (performance.now() % ms);
  return pause < ms / 2 ? pause + ms : pause;
}
