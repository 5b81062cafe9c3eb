/** Work on a large body goes on for this long, in ms, before the other requests of the worker have their turn. */
const TURN_MS = 8;
/** Values between two looks at the clock. */
const LOOK_EVERY = 128;

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

/** Does something with each of many values, in turns. */
export async function inTurns<T>(
  values: Iterable<T>,
  pace: Pace,
  work: (value: T, at: number) => void,
): Promise<void> {
  let at = 0;
  for (const value of values) {
    work(value, at++);
    if (at % LOOK_EVERY === 0 && pace.isDue()) await pace.rest();
  }
}
