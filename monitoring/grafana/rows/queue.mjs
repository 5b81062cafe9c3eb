import { lines } from '../panels.mjs';
import { rate, SALE } from '../queries.mjs';

/** Rows of sales with a queue; empty where no sale has one. */
const bySale = (metric) => `max by (sale) (${metric}${SALE})`;

export const queue = [
  lines({
    title: 'Waiting for their turn',
    about:
      'Places that were not admitted yet. Falls at the rate of the queue, and rises while buyers join. Divided by the rate it is how long the last one waits.',
    queries: [[bySale('flashsale_queue_waiting'), '{{sale}}']],
  }),
  lines({
    title: 'Joined and admitted',
    about:
      'The line never goes back and never passes those who have joined. Flat while many wait: the rate is 0, the sale is paused, or checkouts are shed.',
    queries: [
      [bySale('flashsale_queue_joined'), 'joined {{sale}}'],
      [bySale('flashsale_queue_admitted'), 'admitted {{sale}}'],
    ],
  }),
  lines({
    title: 'Admitted per second',
    about:
      'Near the rate that was set while many wait; below it while checkouts are shed. Then set a lower rate: see the runbook, A queue.',
    queries: [
      [`sum by (sale) (rate(flashsale_queue_admitted${SALE}[$__rate_interval]))`, 'admitted {{sale}}'],
      [bySale('flashsale_queue_admit_per_second'), 'set {{sale}}'],
    ],
  }),
  lines({
    title: 'Held by overload',
    about:
      'Normally 0. 1: the line waits, since checkouts were shed in the last second. For minutes: see Shedding.',
    queries: [[bySale('flashsale_queue_held'), '{{sale}}']],
    max: 1,
  }),
  lines({
    title: 'Checkouts before their turn',
    about:
      'Refused with not_admitted. Some are people who are early; many per second are scripts, and cost little.',
    queries: [[rate('checkout_failure_total{reason="not_admitted"}'), 'not admitted']],
  }),
  lines({
    title: 'Listening for their turn',
    about: 'Streams of GET /queue/{ticket}: 10,000 per worker are the bound, past it they are turned away.',
    queries: [['sum(flashsale_queue_listeners)', 'listeners']],
  }),
];
