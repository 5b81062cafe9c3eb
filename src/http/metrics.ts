import type { MetricJson } from '../messages.ts';
import { createSettled } from '../metrics/payments.ts';
import {
  type Cell,
  type CounterFamily,
  createCounter,
  createHistogram,
  type HistogramCell,
} from '../metrics/series.ts';
import type { Answer } from './answer.ts';
import type { Asked } from './asked.ts';
import type { Observer } from './observer.ts';
import { OTHER } from './route.ts';

/** From a refusal (a fraction of a millisecond) to the longest deadline (some seconds). */
const BOUNDS_S = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** node knows many more methods, and each would be a new series. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** What is measured of requests and their answers. */
export interface HttpMetrics {
  readonly observe: Observer;
  counted(): MetricJson[];
}

export function createHttpMetrics(): HttpMetrics {
  const durations = createHistogram({
    name: 'http_request_duration_seconds',
    help: 'From the headers of a request to the handing over of its answer',
    bounds: BOUNDS_S,
    unitsPer: 1e6,
  });
  const shed = createCounter('flashsale_shed_requests_total', 'Answered 503 overloaded: a queue was full');
  const itemsSold = createCounter('sale_items_sold_total', 'Items sold by purchases answered first here');
  const replays = createCounter(
    'flashsale_purchase_replays_total',
    '200 answers that repeated an earlier one',
  );
  const settled = createSettled();
  const [sold, replayed] = [itemsSold.cell(), replays.cell()];
  const checkouts = createOutcomes('checkout');
  const purchases = createOutcomes('purchase', 'outcome_unknown');

  const countPurchase = (asked: Asked, answer: Answer) => {
    purchases.count(answer.code);
    if (asked.bought !== undefined) sold.n += asked.bought;
    else if (answer.status === 200) replayed.n++;
  };

  return {
    observe(handler) {
      const series = createSeries((method, status) =>
        durations.cell({ handler, method, status_code: String(status) }),
      );
      return (asked, answer, ms) => {
        series(asked.method, answer.status).observe(Math.round(ms * 1_000));
        if (answer.code === 'overloaded') shed.cell({ handler }).n++;
        if (asked.method !== 'POST') return;
        if (handler === '/checkout') checkouts.count(answer.code);
        else if (handler === '/purchase') countPurchase(asked, answer);
        else if (asked.settled !== undefined) settled.cell({ how: asked.settled }).n++;
      };
    },
    counted() {
      const histogram = durations.json();
      return [
        histogram,
        requestsOf(histogram),
        ...checkouts.json(),
        ...purchases.json(),
        ...[shed, itemsSold, replays, settled].map((family) => family.json()),
      ];
    },
  };
}

/** Finds the cell of a method and a status without making a key of them. */
function createSeries(cellOf: (method: string, status: number) => HistogramCell) {
  const byMethod = new Map<string, (HistogramCell | undefined)[]>();
  return (sent: string, status: number): HistogramCell => {
    const method = METHODS.has(sent) ? sent : OTHER;
    const byStatus = byMethod.get(method) ?? [];
    const known = byStatus[status];
    if (known !== undefined) return known;
    const cell = cellOf(method, status);
    byStatus[status] = cell;
    byMethod.set(method, byStatus);
    return cell;
  };
}

/** Every request is in the histogram: its counts are the numbers of requests. */
function requestsOf({ name, values }: MetricJson): MetricJson {
  const counts = values.filter(({ metricName }) => metricName === `${name}_count`);
  return {
    name: 'http_requests_total',
    help: 'Requests answered',
    type: 'counter',
    aggregator: 'sum',
    values: counts.map(({ labels, value }) => ({ labels, value })),
  };
}

/**
 * Attempts, successes and failures by reason, of the two routes that sell. Reasons that an alert reads begin at 0:
 * `rate` ignores the first value of a series.
 */
function createOutcomes(kind: 'checkout' | 'purchase', ...alarming: readonly string[]) {
  const upper = kind === 'checkout' ? 'Checkouts' : 'Purchases';
  const success = createCounter(`${kind}_success_total`, `${upper} answered 200`);
  const failure = createCounter(
    `${kind}_failure_total`,
    `${upper} refused or failed, by the code of the problem`,
  );
  const succeeded = success.cell();
  const failed = new Map<string, Cell>();
  for (const reason of alarming) cellOf(failed, failure, reason);
  return {
    count(reason: string | undefined) {
      if (reason === undefined) succeeded.n++;
      else cellOf(failed, failure, reason).n++;
    },
    json(): MetricJson[] {
      const attempts = createCounter(`${kind}_attempts_total`, `${upper} answered`);
      attempts.cell().n = [...failed.values()].reduce((sum, { n }) => sum + n, succeeded.n);
      return [attempts, success, failure].map((family) => family.json());
    },
  };
}

function cellOf(cells: Map<string, Cell>, family: CounterFamily, reason: string): Cell {
  const known = cells.get(reason);
  if (known !== undefined) return known;
  const cell = family.cell({ reason });
  cells.set(reason, cell);
  return cell;
}
