/** What operations cost, in µs of CPU unless it says otherwise; where each figure was measured stands in docs/scale.md. */
export interface Costs {
  /** A request that memory refuses: all of it. */
  readonly httpUs: number;
  /** What any other takes beside, without the stores: the attempt, the log, a larger answer. */
  readonly acceptedUs: number;
  /** The worker's part of an operation on the stores: for each call, and for each operation in it. */
  readonly checkout: PerBatch;
  readonly purchase: PerBatch;
  /** Redis' thread. */
  readonly redisCheckout: PerBatch;
  readonly redisPurchase: PerBatch;
  /** A session of Postgres that commits. */
  readonly commit: PerBatch;
  /** What a commit waits for the disk, beside its CPU. */
  readonly flushUs: number;
  /** A worker hears that an item was sold. */
  readonly heardUs: number;
  /** The primary's part of a request that was accepted: the attempt log. */
  readonly primaryUs: number;
  /** From one process to another, one way: on one machine, and in a rack. */
  readonly nearUs: number;
  readonly farUs: number;
  /** The load generator's part of a request, where it shares the machine. */
  readonly generatorUs: number;
}

export interface PerBatch {
  readonly callUs: number;
  readonly eachUs: number;
}

export const costOf = ({ callUs, eachUs }: PerBatch, size: number): number => callUs + size * eachUs;

/**
 * All of one machine on 2026-11-27. Redis, Postgres and the worker's part of an operation: `--measure`, batches of 1 to 256. Requests that memory refuses:
 * `npm run perf -- --only refused`. What an accepted request takes beside: from a sell-out with one worker. A net between hosts is an assumption.
 */
export const COSTS: Costs = {
  httpUs: 22,
  acceptedUs: 14,
  checkout: { callUs: 100, eachUs: 6 },
  purchase: { callUs: 500, eachUs: 13 },
  redisCheckout: { callUs: 110, eachUs: 7.3 },
  redisPurchase: { callUs: 280, eachUs: 15 },
  commit: { callUs: 650, eachUs: 16 },
  flushUs: 150,
  heardUs: 1.3,
  primaryUs: 7,
  nearUs: 15,
  farUs: 100,
  generatorUs: 22,
};
