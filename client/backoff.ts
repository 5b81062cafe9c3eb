/** The first wait is up to this long, each further one up to twice the one before. */
const FIRST_MS = 200;
/** A crowd that waits longer than this between tries leaves the service idle when it is back. */
const LONGEST_MS = 5_000;

/**
 * How long to wait before the try after `failed` failed ones, in ms: as long as the service asked, and then a random part of an
 * exponential back-off, so that the clients that were refused together do not come back together.
 */
export function waitMs(failed: number, retryAfterMs = 0, random: () => number = Math.random): number {
  const longest = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failed - 1, 30));
  return Math.round(retryAfterMs + random() * longest);
}

/** Waits; rejects with the signal's reason as soon as it is aborted. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', abort, { once: true });
  });
}
