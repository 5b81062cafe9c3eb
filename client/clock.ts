/** What the service's clock shows, by the `Date` of its answers. */
export interface ServerClock {
  /** Milliseconds since 1970. Until the first answer: this machine's clock. */
  now(): number;
  /** An answer to a request sent at `sentMs` and answered at `heardMs`, both by this machine's clock. */
  saw(date: string | null, sentMs: number, heardMs: number): void;
}

/**
 * `Date` has whole seconds. Each answer bounds the difference of the clocks: it was written between sending and hearing, within the second
 * that it names. The bounds of several answers together are narrower than a second. One that contradicts them is the beginning of
 * new bounds: a clock was set.
 */
export function createClock(): ServerClock {
  let low = Number.NEGATIVE_INFINITY;
  let high = Number.POSITIVE_INFINITY;
  return {
    now() {
      const offset = Number.isFinite(low) ? (low + high) / 2 : 0;
      return Math.round(Date.now() + offset);
    },
    saw(date, sentMs, heardMs) {
      const second = date === null ? Number.NaN : Date.parse(date);
      if (Number.isNaN(second)) return;
      const from = second - heardMs;
      const to = second + 1_000 - sentMs;
      if (from > high || to < low) {
        low = from;
        high = to;
      } else {
        low = Math.max(low, from);
        high = Math.min(high, to);
      }
    },
  };
}
