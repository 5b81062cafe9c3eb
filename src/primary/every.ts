/** Work that is repeated until it is stopped, never twice at a time. */
export interface Repeated {
  /** Runs the work once more, now or right after the run under way; resolves when that run is over. */
  now(): Promise<void>;
  /** No run begins any more; resolves when the one under way is over. */
  stop(): Promise<void>;
}

/** Repeats `work` with `ms` milliseconds between two runs. What it throws goes to `onError`, and it is run again. */
export function every(ms: number, work: () => Promise<void>, onError: (error: unknown) => void): Repeated {
  let running: Promise<void> | undefined;
  let queued: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  const run = (): Promise<void> => {
    clearTimeout(timer);
    running = work()
      .catch(onError)
      .finally(() => {
        running = undefined;
        if (!stopped && !queued) timer = setTimeout(run, ms);
      });
    return running;
  };

  timer = setTimeout(run, ms);
  return {
    now() {
      if (stopped) return Promise.resolve();
      if (!running) return run();
      queued ??= running.then(() => {
        queued = undefined;
        return run();
      });
      return queued;
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await queued;
      await running;
    },
  };
}
