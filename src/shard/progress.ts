/** Which of a sale's sold events have arrived. Versions count the items sold; an event covers its own items. */
export interface Progress {
  /** Everything up to `version` has arrived. */
  reached(version: number): void;
  /** The event that took the sale from `from` to `to` items has arrived. */
  event(from: number, to: number): void;
  /** Whether an event before one that has arrived is missing. */
  hasGap(): boolean;
}

/** Events kept that arrived before an earlier one; with more than that missing, one snapshot is cheaper. */
const AHEAD_MAX = 64;

/** Starts at version 0 with nothing missing. Any order and repetition of events is fine. */
export function createProgress(): Progress {
  let version = 0;
  let overflowed = 0;
  const ahead = new Map<number, number>();

  const advance = (to: number) => {
    version = Math.max(version, to);
    let joined = ahead.size > 0;
    while (joined) {
      joined = false;
      for (const [from, end] of ahead) {
        if (from > version) continue;
        ahead.delete(from);
        version = Math.max(version, end);
        joined = true;
      }
    }
  };

  return {
    reached: advance,
    event(from, to) {
      if (from <= version) advance(to);
      else if (ahead.size < AHEAD_MAX) ahead.set(from, to);
      else overflowed = Math.max(overflowed, to);
    },
    hasGap: () => ahead.size > 0 || overflowed > version,
  };
}
