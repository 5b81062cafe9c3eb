import type { Server } from 'node:net';
import { createHttpMetrics, type HttpMetrics } from '../http/metrics.ts';
import type { MetricJson } from '../messages.ts';
import { watchProcess } from '../metrics/process.ts';
import { createCounter, createHistogram, gauge } from '../metrics/series.ts';
import { createStoreMetrics, type StoreMetrics, storeGauges } from '../metrics/stores.ts';
import type { WorkerDoor } from './door.ts';
import type { FencedCount } from './fenced.ts';
import type { Memory } from './memory.ts';
import type { Serving } from './serving.ts';
import type { Stores } from './stores.ts';

/** Operations of a script call: at most 256. */
const BATCH_BOUNDS = [1, 2, 4, 8, 16, 32, 64, 128, 256];

/** Where a worker reads the figures that other parts count. */
export interface WorkerSources
  extends Pick<Stores, 'redis' | 'committers' | 'readers'>,
    Pick<Memory, 'peers' | 'shard' | 'liveSales' | 'turns'> {
  readonly serving: Pick<Serving, 'servers' | 'connections'>;
  readonly door: Pick<WorkerDoor, 'refusals'> | undefined;
  readonly fenced: FencedCount;
  readonly linesDropped: () => number;
}

/** What one worker measures; the primary asks for it. */
export interface WorkerMetrics
  extends Pick<HttpMetrics, 'observe'>,
    Pick<StoreMetrics, 'onCommand' | 'onQuery'> {
  readonly onBatch: (batch: 'checkout' | 'purchase', size: number) => void;
  /** Counters and histograms. */
  counted(sources: WorkerSources): Promise<MetricJson[]>;
  /** Gauges. */
  gauges(sources: WorkerSources): Promise<MetricJson[]>;
}

export function createWorkerMetrics(slot: number): WorkerMetrics {
  const own = watchProcess(`worker-${slot}`);
  const http = createHttpMetrics();
  const stores = createStoreMetrics();
  const batches = createHistogram({
    name: 'flashsale_batch_size',
    help: 'Operations of one script call',
    bounds: BATCH_BOUNDS,
    unitsPer: 1,
  });
  const sizes = {
    checkout: batches.cell({ batch: 'checkout' }),
    purchase: batches.cell({ batch: 'purchase' }),
  };

  return {
    observe: http.observe,
    onCommand: stores.onCommand,
    onQuery: stores.onQuery,
    onBatch: (batch, size) => sizes[batch].observe(size),
    async counted({ shard, peers, door, fenced, linesDropped }) {
      return [
        ...(await own.counted()),
        ...http.counted(),
        ...stores.counted(),
        batches.json(),
        counter('flashsale_shard_refusals_total', 'Checkouts refused from memory', 'kind', shard.refusals),
        counter(
          'flashsale_door_refusals_total',
          'Requests refused before their route',
          'reason',
          door?.refusals ?? {},
        ),
        counter('flashsale_owner_questions_total', 'Questions to owners of items', 'outcome', peers.counts),
        counter('flashsale_fenced_total', 'Batches that met a shut gate', undefined, { '': fenced.total() }),
        counter('flashsale_log_lines_dropped_total', 'Log lines that stdout did not take', undefined, {
          '': linesDropped(),
        }),
      ];
    },
    async gauges({ redis, committers, readers, liveSales, turns, serving }) {
      const depth = (of: 'checkouts' | 'purchases') =>
        liveSales.all().reduce((sum, sale) => sum + sale[of].pending, 0);
      const connections = await Promise.all(serving.servers.map(({ server }) => countConnections(server)));
      return [
        ...(await own.gauges()),
        ...storeGauges(
          redis,
          [committers, readers],
          [
            [depth('checkouts'), { queue: 'checkout' }],
            [depth('purchases'), { queue: 'purchase' }],
          ],
        ),
        gauge('flashsale_queue_listeners', 'Buyers who listen for their turn', [[turns.listeners]]),
        gauge('flashsale_http_connections', 'Open client connections', [
          [connections.reduce((sum, count) => sum + count, 0)],
        ]),
      ];
    },
  };
}

const countConnections = (server: Server) =>
  new Promise<number>((resolve) => server.getConnections((_, count) => resolve(count ?? 0)));

/** Counts that are kept elsewhere, one per value of a label, or one without a label. */
function counter(name: string, help: string, label: string | undefined, counts: object): MetricJson {
  const family = createCounter(name, help);
  for (const [value, count] of Object.entries(counts)) family.cell(label ? { [label]: value } : {}).n = count;
  return family.json();
}
