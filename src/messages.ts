/** The messages between the primary and its workers: two tagged unions. */
import type { LiveSale } from './sale.ts';

export interface WorkerStatus {
  readonly slot: number;
  readonly pid: number;
  readonly uptimeS: number;
  readonly rssBytes: number;
  /** Open connections of clients. */
  readonly connections: number;
}

/** A box that serves the same database, as it was last heard. */
export interface BoxStatus {
  readonly id: string;
  readonly release: string;
  /** Worker processes that serve. */
  readonly workers: number;
  readonly leader: boolean;
  readonly uptimeS: number;
  /** Seconds since it was last heard; 0 of the box that answers. */
  readonly silentS: number;
}

export type MetricLabels = Readonly<Record<string, string | number>>;

/** One metric of one process, in the form of prom-client's getMetricsAsJSON. */
export interface MetricJson {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  /** How the same metric of several processes is added up. */
  readonly aggregator: 'omit' | 'sum' | 'first' | 'min' | 'max' | 'average';
  readonly values: readonly {
    readonly value: number;
    readonly labels: MetricLabels;
    /** Of a histogram: the name with its suffix. */
    readonly metricName?: string;
  }[];
}

/** What a worker may ask of the primary; each is answered under its id, or not at all. */
export interface Questions {
  /** Load new sales into Redis now, and tell every worker before answering. */
  'refresh-sales': { ask: undefined; answer: true };
  /** The metrics of the whole box as Prometheus text. */
  metrics: { ask: undefined; answer: string };
  /** The same, read once a second for the consoles of all workers. */
  figures: { ask: undefined; answer: { readonly value: string; readonly atMs: number } };
  /** The state of all workers, for /health. */
  'cluster-status': { ask: undefined; answer: readonly WorkerStatus[] };
  /** All boxes that are known, the one that answers first. */
  boxes: { ask: undefined; answer: readonly BoxStatus[] };
}

export type Question = keyof Questions;

/** A public key that proves buyers, as RFC 7517 writes it. */
export type BuyerKey = Readonly<Record<string, string>>;

/** How often something may be done: so many a second, and so many at once after a rest. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** What one key took from its bucket since the last report. */
export type Used = readonly [key: string, count: number];
/** What a worker gave to users and to addresses. */
export type UsedOf = Readonly<Record<'user' | 'address', readonly Used[]>>;

export type ToWorker =
  | { readonly type: 'sales'; readonly version: number; readonly sales: readonly LiveSale[] }
  | { readonly type: 'slots'; readonly slots: readonly number[] }
  /** The attempt spool has reached its bound: refuse checkouts until it is false again. */
  | { readonly type: 'spool-full'; readonly full: boolean }
  /** The mean of open connections over all workers: a worker with many more asks some clients to reconnect. */
  | { readonly type: 'fair-share'; readonly connections: number }
  /** The public keys by which buyers prove themselves, all of them. */
  | { readonly type: 'buyer-keys'; readonly keys: readonly BuyerKey[] }
  /** What another worker gave of the rates that all share. */
  | { readonly type: 'rates'; readonly used: UsedOf }
  | { readonly type: 'drain' }
  /** The primary lives, and knows this worker. */
  | { readonly type: 'heartbeat' }
  /** Report your metrics under this id. */
  | { readonly type: 'metrics'; readonly id: number }
  | { readonly type: 'answer'; readonly id: number; readonly value: unknown };

export type ToPrimary =
  /** The worker has started and needs the sales: until then it does not listen. */
  | { readonly type: 'hello' }
  | { readonly type: 'ready' }
  /** A token names a key that this worker does not know: it may be new. */
  | { readonly type: 'keys-wanted' }
  /** What this worker gave of the rates, for the others. */
  | { readonly type: 'rates'; readonly used: UsedOf }
  | { readonly type: 'sales-seen'; readonly version: number }
  | ({ readonly type: 'status' } & Omit<WorkerStatus, 'slot' | 'pid'>)
  /** Counters: each second, and last before the worker exits. As an answer, with the id and the gauges. */
  | {
      readonly type: 'metrics';
      readonly counted: readonly MetricJson[];
      readonly answer?: { readonly id: number; readonly gauges: readonly MetricJson[] };
    }
  | { readonly type: 'ask'; readonly id: number; readonly question: Question };
