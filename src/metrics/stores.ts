import type { MetricJson, MetricLabels } from '../messages.ts';
import { createHistogram, gauge, type HistogramCell } from './series.ts';

/** From a script call on an idle Redis to the deadline of a query. */
const BOUNDS_S = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** What a process measures of Redis and Postgres. */
export interface StoreMetrics {
  readonly onCommand: (command: string, ms: number) => void;
  readonly onQuery: (queryType: string, table: string, ms: number) => void;
  counted(): MetricJson[];
}

export function createStoreMetrics(): StoreMetrics {
  const queries = createHistogram({
    name: 'db_query_duration_seconds',
    help: 'Statements and transactions on Postgres',
    bounds: BOUNDS_S,
    unitsPer: 1e6,
  });
  const commands = createHistogram({
    name: 'redis_command_duration_seconds',
    help: 'Scripts and commands on Redis',
    bounds: BOUNDS_S,
    unitsPer: 1e6,
  });
  const byCommand = new Map<string, HistogramCell>();
  return {
    onCommand(command, ms) {
      const cell = byCommand.get(command) ?? commands.cell({ command });
      byCommand.set(command, cell);
      cell.observe(Math.round(ms * 1_000));
    },
    onQuery: (query_type, table, ms) => queries.cell({ query_type, table }).observe(Math.round(ms * 1_000)),
    counted: () => [queries.json(), commands.json()],
  };
}

interface Pool {
  readonly isUp: boolean;
  readonly load: { readonly active: number; readonly idle: number; readonly waiting: number };
}

/** The state of a process' connections to both stores, and of its queues. */
export function storeGauges(
  redis: { readonly isUp: boolean; readonly away: readonly string[] },
  pools: readonly Pool[],
  queues: readonly (readonly [depth: number, labels: MetricLabels])[],
): MetricJson[] {
  const sum = (what: keyof Pool['load']) => pools.reduce((total, { load }) => total + load[what], 0);
  const up = (isUp: boolean, dependency: string) => [isUp ? 1 : 0, { dependency }] as const;
  return [
    gauge('db_connections_active', 'Connections to Postgres in use', [[sum('active')]]),
    gauge('db_connections_idle', 'Open connections to Postgres not in use', [[sum('idle')]]),
    gauge('flashsale_queue_depth', 'Operations that wait or are under way', [
      [sum('waiting'), { queue: 'postgres' }],
      ...queues,
    ]),
    gauge(
      'flashsale_dependency_up',
      '0 when any process knows the store to be away',
      [
        up(redis.isUp && redis.away.length === 0, 'redis'),
        up(
          pools.every((pool) => pool.isUp),
          'postgres',
        ),
      ],
      'min',
    ),
  ];
}
