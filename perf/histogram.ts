/** Latencies in buckets that grow by 1 %: any number of samples in 12 KiB, percentiles to within 1 %. */

const GROWTH = Math.log(1.01);
/** The smallest latency that is distinguished, 1 µs. */
const LEAST_MS = 0.001;
/** 1.01^2000 µs are more than 7 minutes. */
const BUCKETS = 2_000;

export interface Histogram {
  add(ms: number): void;
  /** The latency in ms that a share of all samples did not exceed; 0 without samples. */
  percentile(share: number): number;
  merge(other: HistogramData): void;
  readonly data: HistogramData;
}

/** What travels between processes. */
export interface HistogramData {
  readonly counts: Uint32Array;
  total: number;
  maxMs: number;
}

export function createHistogram(data?: HistogramData): Histogram {
  const own: HistogramData = data ?? { counts: new Uint32Array(BUCKETS), total: 0, maxMs: 0 };
  return {
    data: own,
    add(ms) {
      const bucket = ms <= LEAST_MS ? 0 : Math.min(BUCKETS - 1, Math.ceil(Math.log(ms / LEAST_MS) / GROWTH));
      own.counts[bucket] = (own.counts[bucket] as number) + 1;
      own.total++;
      if (ms > own.maxMs) own.maxMs = ms;
    },
    percentile(share) {
      let left = Math.ceil(own.total * share);
      if (left === 0) return 0;
      for (let bucket = 0; bucket < BUCKETS; bucket++) {
        left -= own.counts[bucket] as number;
        if (left <= 0) return Math.min(own.maxMs, LEAST_MS * Math.exp(bucket * GROWTH));
      }
      return own.maxMs;
    },
    merge(other) {
      other.counts.forEach((count, bucket) => {
        own.counts[bucket] = (own.counts[bucket] as number) + count;
      });
      own.total += other.total;
      own.maxMs = Math.max(own.maxMs, other.maxMs);
    },
  };
}
