import type { Rate, Used } from '../messages.ts';
import { createRecent } from '../recent.ts';

/** Token buckets by key. */
export interface Buckets {
  /** Takes a token of the key; 0, or how many seconds to wait when there is none. `nowMs` by performance.now(). */
  take(key: string, nowMs: number): number;
  /** What was taken here since the last call, by the keys that took most. */
  report(): Used[];
  /** Takes off what another worker reports. */
  debit(used: readonly Used[], nowMs: number): void;
}

/**
 * Buckets of a worker, some 10 MB. A crowd of more keys has those forgotten that did not ask lately: they come back with a
 * full bucket, and memory does not grow.
 */
const KEYS_MAX = 65_536;
/** Keys of one report, four a second: more than this are no few heavy clients, but a crowd. */
const REPORTED_MAX = 256;
/** A key that takes more than this between two reports is among the first in any case. */
const COUNTED_MAX = 64;

interface Bucket {
  readonly key: string;
  /** Below 0 when the workers together gave more than there was. */
  tokens: number;
  atMs: number;
  /** Taken here since the last report. */
  used: number;
}

/** @param reports whether there are other workers to tell */
export function createBuckets({ perSecond, burst }: Rate, reports: boolean): Buckets {
  const buckets = createRecent<Bucket>(KEYS_MAX);
  let touched: Bucket[] = [];

  const bucketOf = (key: string, nowMs: number): Bucket => {
    const known = buckets.get(key);
    if (known === undefined) {
      const bucket = { key, tokens: burst, atMs: nowMs, used: 0 };
      buckets.set(key, bucket);
      return bucket;
    }
    // A request that waited for its token to be verified may come behind a later one.
    const passedMs = Math.max(0, nowMs - known.atMs);
    known.tokens = Math.min(burst, known.tokens + (passedMs / 1_000) * perSecond);
    known.atMs += passedMs;
    return known;
  };

  return {
    take(key, nowMs) {
      const bucket = bucketOf(key, nowMs);
      if (bucket.tokens < 1) return (1 - bucket.tokens) / perSecond;
      bucket.tokens--;
      if (reports && bucket.used++ === 0) touched.push(bucket);
      return 0;
    },
    report() {
      const taken = touched;
      touched = [];
      const least = leastOf(taken);
      const used: Used[] = [];
      for (const bucket of taken) {
        if (bucket.used >= least && used.length < REPORTED_MAX) used.push([bucket.key, bucket.used]);
        bucket.used = 0;
      }
      return used;
    },
    debit(used, nowMs) {
      for (const [key, count] of used) bucketOf(key, nowMs).tokens -= count;
    },
  };
}

/** The least use at which a bucket is among the REPORTED_MAX that used most; without sorting thousands. */
function leastOf(buckets: readonly Bucket[]): number {
  const counts = new Array<number>(COUNTED_MAX + 1).fill(0);
  for (const { used } of buckets) counts[Math.min(used, COUNTED_MAX)]!++;
  let least = COUNTED_MAX;
  for (let sum = counts[least] as number; least > 1; least--) {
    sum += counts[least - 1] as number;
    if (sum > REPORTED_MAX) break;
  }
  return least;
}
