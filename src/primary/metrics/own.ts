import type { MetricJson } from '../../messages.ts';
import { watchProcess } from '../../metrics/process.ts';
import { type Cell, createCounter, gauge } from '../../metrics/series.ts';
import { type StoreMetrics, storeGauges } from '../../metrics/stores.ts';
import type { LiveSale } from '../../sale.ts';
import { listSegments } from '../../store/attempts/segments.ts';
import type { Postgres } from '../../store/postgres.ts';
import type { Redis } from '../../store/redis.ts';
import type { BuyerKeys } from '../buyer-keys.ts';
import type { Supervisor } from '../workers/supervisor.ts';
import { createPaymentCounts, type PaymentCounts } from './payments.ts';
import { readRedisGauges } from './redis-gauges.ts';
import { readSaleGauges } from './sale-gauges.ts';
import { createWebhookCounts, type WebhookCounts } from './webhooks.ts';

/** Where the primary reads the figures that other parts count. */
export interface PrimarySources {
  readonly hourlySales: boolean;
  readonly redis: Redis;
  readonly postgres: Postgres;
  readonly measured: StoreMetrics;
  readonly sales: () => readonly LiveSale[];
  /** The directory of the attempt log's segments. */
  readonly spool: string;
  readonly supervisor: Pick<Supervisor, 'starts' | 'servingSlots'>;
  readonly isLeader: () => boolean;
  readonly buyerKeys: BuyerKeys | undefined;
}

/** What only the primary knows. */
export interface Metrics {
  /** Differences that the audit has found since the start. */
  readonly auditDifferences: Cell;
  /** Workers that exited without being told to. */
  readonly workerDeaths: Cell;
  readonly rebuilds: Cell;
  /** Decisions in Redis that contradict Postgres; each causes a rebuild. */
  readonly contradictions: Cell;
  /** Decisions that Redis alone knew, and that were committed. */
  readonly salvaged: Cell;
  /** Decisions that the sweeper has committed. */
  readonly swept: Cell;
  /** Attempts in the default partition, as the leader last counted them. */
  strayAttempts: number | undefined;
  /** What the webhooks have sent, and how far they are behind, as the leader last saw it; undefined without webhooks. */
  readonly webhooks: WebhookCounts;
  readonly payments: PaymentCounts;
  /** Every live sale was audited just now. */
  audited(): void;
  read(sources: PrimarySources): Promise<MetricJson[]>;
}

const createCounters = () => ({
  auditDifferences: createCounter(
    'flashsale_audit_differences_total',
    'Differences between Redis and Postgres',
  ),
  workerDeaths: createCounter(
    'flashsale_worker_deaths_total',
    'Workers that died without being told to leave',
  ),
  rebuilds: createCounter('flashsale_rebuilds_total', 'Sales rebuilt in Redis, first loads included'),
  contradictions: createCounter(
    'flashsale_contradictions_total',
    'Decisions in Redis that contradict Postgres',
  ),
  salvaged: createCounter(
    'flashsale_salvaged_decisions_total',
    'Decisions that Redis alone knew, and that were committed',
  ),
  swept: createCounter('flashsale_swept_decisions_total', 'Decisions of lost workers that were committed'),
});

export function createMetrics(): Metrics {
  const own = watchProcess('primary');
  const counters = createCounters();
  const starts = createCounter('flashsale_worker_starts_total', 'Workers started');
  const webhooks = createWebhookCounts();
  const payments = createPaymentCounts();
  let auditedMs: number | undefined;

  return {
    auditDifferences: counters.auditDifferences.cell(),
    workerDeaths: counters.workerDeaths.cell(),
    rebuilds: counters.rebuilds.cell(),
    contradictions: counters.contradictions.cell(),
    salvaged: counters.salvaged.cell(),
    swept: counters.swept.cell(),
    strayAttempts: undefined,
    webhooks,
    payments,
    audited() {
      auditedMs = Date.now();
    },
    async read(sources) {
      const { hourlySales, redis, postgres, measured, sales, spool, supervisor, isLeader } = sources;
      starts.cell().n = supervisor.starts();
      const stray = this.strayAttempts;
      const [ofSales, ofRedis] = await Promise.all([
        readSaleGauges(redis, postgres, sales(), hourlySales),
        readRedisGauges(redis),
      ]);
      const lastAudit = isLeader() && auditedMs !== undefined ? [[auditedMs / 1_000] as const] : [];
      return [
        ...(await own.counted()),
        ...(await own.gauges()),
        ...measured.counted(),
        ...storeGauges(redis, [postgres], []),
        ...[...Object.values(counters), starts].map((family) => family.json()),
        ...keyGauges(sources.buyerKeys),
        ...webhooks.read(isLeader()),
        ...payments.read(isLeader()),
        ...ofSales,
        ...ofRedis,
        ...spoolGauges(spool),
        gauge(
          'flashsale_stray_attempts',
          'Attempts in no day’s partition, 10,000 at most; by the leader',
          isLeader() && stray !== undefined ? [[stray]] : [],
        ),
        gauge('flashsale_leader', '1 when this box leads', [[isLeader() ? 1 : 0]]),
        gauge(
          'flashsale_audit_last_run_timestamp_seconds',
          'End of the last audit of all live sales',
          lastAudit,
        ),
        gauge('flashsale_workers', 'Workers that serve', [[supervisor.servingSlots().length]]),
      ];
    },
  };
}

function spoolGauges(dir: string): MetricJson[] {
  const { paths, bytes, refused } = listSegments(dir);
  return [
    gauge('flashsale_spool_bytes', 'Attempts in finished segments, not in Postgres yet', [[bytes]]),
    gauge('flashsale_spool_segments', 'Finished segments of the attempt log', [[paths.length]]),
    gauge('flashsale_spool_refused_segments', 'Segments that Postgres has refused, put aside', [[refused]]),
  ];
}

/** Without samples where no keys are configured. */
const keyGauges = (keys: BuyerKeys | undefined): MetricJson[] => [
  gauge('flashsale_buyer_keys', 'Public keys by which buyers prove themselves', keys ? [[keys.count]] : []),
  gauge(
    'flashsale_buyer_keys_read_timestamp_seconds',
    'When they were last read',
    keys?.readAtMs === undefined ? [] : [[keys.readAtMs / 1_000]],
  ),
];
