/** What was read, and when. */
export interface Kept<T> {
  readonly value: T;
  /** Milliseconds since 1970. */
  readonly atMs: number;
}

/** Reads once for all who ask within `ms` of the one who asked first. What failed is read anew. */
export function keptFor<T>(ms: number, read: () => Promise<T>): () => Promise<Kept<T>> {
  let kept: Promise<Kept<T>> | undefined;
  let fromMs = 0;
  return () => {
    const nowMs = performance.now();
    if (kept !== undefined && nowMs - fromMs < ms) return kept;
    fromMs = nowMs;
    const reading = read().then((value) => ({ value, atMs: Date.now() }));
    kept = reading;
    reading.catch(() => {
      if (kept === reading) kept = undefined;
    });
    return reading;
  };
}
