import type { MetricJson, MetricLabels } from '../messages.ts';

/**
 * Counters and histograms for the hot path: the caller holds the cell of its labels and adds to it. prom-client's own
 * hash their labels with every call.
 */
export interface Cell {
  n: number;
}

export interface CounterFamily {
  /** The one cell of these labels; hold it. */
  cell(labels?: MetricLabels): Cell;
  json(): MetricJson;
}

export function createCounter(name: string, help: string): CounterFamily {
  const cells = createCells(() => ({ n: 0 }));
  return {
    cell: cells.of,
    json: () => ({
      name,
      help,
      type: 'counter',
      aggregator: 'sum',
      values: cells.all().map(({ labels, cell }) => ({ labels, value: cell.n })),
    }),
  };
}

export interface HistogramCell {
  /** Counts one value, a whole number of the family's units. */
  observe(units: number): void;
}

export interface HistogramFamily {
  /** The one cell of these labels; hold it. */
  cell(labels?: MetricLabels): HistogramCell;
  json(): MetricJson;
}

export interface HistogramOptions {
  readonly name: string;
  readonly help: string;
  /** Upper bounds of the buckets as they are shown, ascending; +Inf comes by itself. */
  readonly bounds: readonly number[];
  /**
   * Units of one of what is shown: 1e6 for seconds that are observed in µs. Whole units make exact sums, which are the
   * same in whatever order processes are added up: a sum that differs in its last bit would be a counter going backwards.
   */
  readonly unitsPer: number;
}

interface Buckets extends HistogramCell {
  readonly counts: number[];
  readonly sum: () => number;
}

export function createHistogram({ name, help, bounds, unitsPer }: HistogramOptions): HistogramFamily {
  const limits = bounds.map((bound) => Math.round(bound * unitsPer));
  const cells = createCells(() => createBuckets(limits));
  return {
    cell: cells.of,
    json: () => ({
      name,
      help,
      type: 'histogram',
      aggregator: 'sum',
      values: cells.all().flatMap(({ labels, cell }) => {
        let total = 0;
        const buckets = cell.counts.map((count, i) => {
          total += count;
          return {
            metricName: `${name}_bucket`,
            labels: { ...labels, le: bounds[i] ?? '+Inf' },
            value: total,
          };
        });
        return [
          ...buckets,
          { metricName: `${name}_sum`, labels, value: cell.sum() / unitsPer },
          { metricName: `${name}_count`, labels, value: total },
        ];
      }),
    }),
  };
}

function createBuckets(limits: readonly number[]): Buckets {
  const counts = new Array<number>(limits.length + 1).fill(0);
  let sum = 0;
  return {
    counts,
    sum: () => sum,
    observe(units) {
      let i = 0;
      while (i < limits.length && units > (limits[i] as number)) i++;
      counts[i]!++;
      sum += units;
    },
  };
}

/** A gauge. `aggregator` says how processes are added up. */
export const gauge = (
  name: string,
  help: string,
  values: readonly (readonly [value: number, labels?: MetricLabels])[],
  aggregator: MetricJson['aggregator'] = 'sum',
): MetricJson => ({
  name,
  help,
  type: 'gauge',
  aggregator,
  values: values.map(([value, labels = {}]) => ({ labels, value })),
});

/** One cell per combination of labels, made when it is first asked for. */
function createCells<T>(make: () => T) {
  const byLabels = new Map<string, { labels: MetricLabels; cell: T }>();
  return {
    of(labels: MetricLabels = {}): T {
      const key = JSON.stringify(labels);
      const known = byLabels.get(key);
      if (known) return known.cell;
      const cell = make();
      byLabels.set(key, { labels, cell });
      return cell;
    },
    all: () => [...byLabels.values()],
  };
}
