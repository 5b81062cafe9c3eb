/** Work on a large body goes on for this long, in ms, before the other requests of the worker have their turn. */
const TURN_MS = 8;

/** Lets long work be done in turns: ask `isDue` now and then, and `rest` when it is. */
export interface Pace {
  isDue(): boolean;
  /** Resolves when the event loop has been around once. */
  rest(): Promise<void>;
}

export function createPace(): Pace {
  let beganMs = performance.now();
  return {
    isDue: () => performance.now() - beganMs >= TURN_MS,
    async rest() {
      await new Promise((resolve) => setImmediate(resolve));
      beganMs = performance.now();
    },
  };
}
