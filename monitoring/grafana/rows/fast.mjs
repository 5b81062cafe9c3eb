import { lines, spread } from '../panels.mjs';
import { buckets, quantiles, rateBy } from '../queries.mjs';

export const fast = [
  lines({
    title: 'Requests by handler',
    about: 'Answers per second. /checkout is nearly all of it in a drop.',
    queries: [[rateBy('handler', 'http_requests_total'), '{{handler}}']],
    unit: 'reqps',
    stacked: true,
  }),
  lines({
    title: 'Checkouts: how long',
    about:
      'Refusals from memory take well below 1 ms, accepted ones a round to Redis. The red line is SlowCheckouts.',
    queries: quantiles('/checkout'),
    unit: 's',
    limit: 0.5,
  }),
  lines({
    title: 'Purchases: how long',
    about:
      'A round to Redis and a commit in Postgres: some 5 to 20 ms without a crowd. The red line is SlowPurchases.',
    queries: quantiles('/purchase'),
    unit: 's',
    limit: 0.5,
  }),
  spread({
    title: 'Checkouts by duration',
    about:
      'Two bands are normal: refused from memory, and decided by Redis. A third one that climbs is a queue.',
    queries: [[rateBy('le', buckets('/checkout')), '{{le}}']],
    width: 12,
  }),
  spread({
    title: 'Purchases by duration',
    about: 'One band is normal. It climbs with the time of a commit; compare "Postgres: p99".',
    queries: [[rateBy('le', buckets('/purchase')), '{{le}}']],
    width: 12,
  }),
];
