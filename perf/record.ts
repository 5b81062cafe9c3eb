/** What a generator recorded: answers, latencies, and the outcomes of its users' purchases. */
import { createHistogram, type HistogramData } from './histogram.ts';

/** The requests of a session. */
export const KINDS = ['checkout', 'purchase', 'browse'] as const;
export type Kind = (typeof KINDS)[number];

/** A purchase as the client knows it: "code user item item …", without items while its outcome is unknown. */
export interface Told {
  readonly code: string;
  readonly user: string;
  /** Items the answer said were bought; undefined while the outcome is unknown. */
  readonly bought: readonly string[] | undefined;
}

/** Plain data: it travels between processes. */
export interface RecordData {
  /** "checkout 409 item_already_sold" → how often. */
  readonly statuses: Map<string, number>;
  readonly latencies: Record<Kind, HistogramData>;
  /** By code: a code has one outcome. */
  readonly told: Map<string, Told>;
  /** Answers that contradict one another; none in a sound service. */
  readonly contradictions: string[];
  /** Milliseconds since 1970 of the first request and of the last answer. */
  firstMs: number;
  lastMs: number;
  sold: number;
  requests: number;
}

export function newRecord(): RecordData {
  const latencies = Object.fromEntries(KINDS.map((kind) => [kind, createHistogram().data]));
  return {
    statuses: new Map(),
    latencies: latencies as RecordData['latencies'],
    told: new Map(),
    contradictions: [],
    firstMs: Number.POSITIVE_INFINITY,
    lastMs: 0,
    sold: 0,
    requests: 0,
  };
}

export interface Recorder {
  readonly data: RecordData;
  /** A request was answered, or lost (`status` is then a word). `beganMs` is on the clock of performance.now. */
  answered(kind: Kind, status: string, beganMs: number): void;
  /** The outcome of a code, or that it is unknown as yet. */
  told(told: Told): void;
  /** Latencies since the last call, of all kinds but browsing. */
  takeRecent(): HistogramData;
}

export function createRecorder(): Recorder {
  const data = newRecord();
  const histograms = Object.fromEntries(KINDS.map((kind) => [kind, createHistogram(data.latencies[kind])]));
  let recent = createHistogram();
  return {
    data,
    answered(kind, status, beganMs) {
      const nowMs = performance.now();
      const key = `${kind} ${status}`;
      data.statuses.set(key, (data.statuses.get(key) ?? 0) + 1);
      (histograms[kind] as ReturnType<typeof createHistogram>).add(nowMs - beganMs);
      if (kind !== 'browse') recent.add(nowMs - beganMs);
      data.requests++;
      if (beganMs + performance.timeOrigin < data.firstMs) data.firstMs = beganMs + performance.timeOrigin;
      data.lastMs = nowMs + performance.timeOrigin;
    },
    told(told) {
      const before = data.told.get(told.code)?.bought;
      if (before !== undefined) {
        const same = told.bought === undefined || told.bought.join() === before.join();
        if (!same)
          data.contradictions.push(
            `${told.code} was told to have bought [${before}] and then [${told.bought}]`,
          );
        return;
      }
      data.told.set(told.code, told);
      data.sold += told.bought?.length ?? 0;
    },
    takeRecent() {
      const taken = recent.data;
      recent = createHistogram();
      return taken;
    },
  };
}

/** Adds the record of another generator. */
export function mergeRecord(into: RecordData, from: RecordData): void {
  for (const [key, count] of from.statuses) into.statuses.set(key, (into.statuses.get(key) ?? 0) + count);
  for (const kind of KINDS) createHistogram(into.latencies[kind]).merge(from.latencies[kind]);
  for (const [code, told] of from.told) into.told.set(code, told);
  into.contradictions.push(...from.contradictions);
  into.firstMs = Math.min(into.firstMs, from.firstMs);
  into.lastMs = Math.max(into.lastMs, from.lastMs);
  into.sold += from.sold;
  into.requests += from.requests;
}
