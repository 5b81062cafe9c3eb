import { figure } from '../panels.mjs';
import { GOOD_IS_ONE, GOOD_IS_ZERO, quantile, rate, SALE, SELLING } from '../queries.mjs';

export const now = [
  figure({
    title: 'Items left',
    about:
      'Of each sale that is open now. Falls while people buy; 0 is sold out. "none": no sale is open, or Redis is away.',
    queries: [[`sale:items_left:open${SALE}`, '{{sale}}']],
    decimals: 0,
    named: true,
    width: 6,
  }),
  figure({
    title: 'Sold per second',
    about:
      'Items, over all sales. Thousands at the opening, 0 when all are sold. 0 with items left and buyers at the door: see NothingSells.',
    queries: [[rate('sale_items_sold_total')]],
    decimals: 1,
  }),
  figure({
    title: 'Requests per second',
    about: 'All answers, whatever they say. What a box can do is in docs/performance.md.',
    queries: [[rate('http_requests_total')]],
    unit: 'reqps',
  }),
  figure({
    title: 'Failed, of checkouts and purchases',
    about: 'Answered 5xx. Normally 0. Refusals (4xx) are no failures. See PurchasesFail and CheckoutsFail.',
    queries: [
      [
        `(${rate(`http_requests_total{${SELLING},status_code=~"5.."}`)} or vector(0)) / (${rate(`http_requests_total{${SELLING}}`)} > 0)`,
      ],
    ],
    unit: 'percentunit',
    steps: { green: null, orange: 0.01, red: 0.05 },
  }),
  figure({
    title: 'p99 of checkouts and purchases',
    about:
      'One in a hundred takes longer. Some ms without a crowd; above 0.5 s see SlowCheckouts and SlowPurchases.',
    queries: [[quantile(0.99, `http_request_duration_seconds_bucket{${SELLING}}`)]],
    unit: 's',
    steps: { green: null, orange: 0.25, red: 0.5 },
  }),
  figure({
    title: 'Gates',
    about:
      'Open: every live sale is whole in Redis. Shut for some seconds while a sale is loaded or rebuilt. See SaleGateShut.',
    queries: [['min(flashsale_gate_open)']],
    width: 2,
    words: { 0: 'shut', 1: 'open' },
    steps: GOOD_IS_ONE,
  }),
  figure({
    title: 'Stores',
    about:
      'Redis and Postgres. Away: at least one process cannot reach one of them, and answers 503. See RedisAway and PostgresAway.',
    queries: [['min(flashsale_dependency_up)']],
    width: 2,
    words: { 0: 'away', 1: 'up' },
    steps: GOOD_IS_ONE,
  }),
  figure({
    title: 'Alerts',
    about: 'Firing now; which ones is in the table below. Normally 0.',
    queries: [['count(ALERTS{alertstate="firing"}) or vector(0)']],
    width: 2,
    steps: GOOD_IS_ZERO,
  }),
];
