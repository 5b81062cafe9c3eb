import type { MetricJson, MetricLabels } from '../../messages.ts';
import { gauge } from '../../metrics/series.ts';
import type { LiveSale } from '../../sale.ts';
import type { QueueState } from '../../store/queue/line.ts';

/** One value per sale that has one. */
type Each = (
  read: (
    sale: LiveSale,
    state: { readonly queue?: QueueState | undefined } | undefined,
  ) => number | undefined,
) => (readonly [value: number, labels: MetricLabels])[];

/** The gauges of queues; without samples where no sale has one. */
export const queueGauges = (each: Each): MetricJson[] => [
  gauge(
    'flashsale_queue_joined',
    'Buyers who have joined its queue',
    each((_, state) => state?.queue && state.queue.joined + state.queue.later),
  ),
  gauge(
    'flashsale_queue_admitted',
    'Places that were admitted',
    each((_, state) => state?.queue && Math.floor(state.queue.line)),
  ),
  gauge(
    'flashsale_queue_waiting',
    'Places that were not',
    each((_, state) => state?.queue && waitingIn(state.queue)),
  ),
  gauge(
    'flashsale_queue_admit_per_second',
    'Places that are admitted per second, when nothing holds the line',
    each((sale) => sale.queue?.admitPerSecond),
  ),
  gauge(
    'flashsale_queue_held',
    '1: the line waits, because checkouts were shed',
    each((_, state) => state?.queue && Number(state.queue.held)),
  ),
];

const waitingIn = ({ joined, later, line }: QueueState): number => Math.ceil(joined + later - line);
