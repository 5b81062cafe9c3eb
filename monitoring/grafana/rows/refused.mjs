import { lines } from '../panels.mjs';
import { rate, rateBy } from '../queries.mjs';

export const refused = [
  lines({
    title: 'Checkouts refused, by reason',
    about:
      'item_already_sold and sale_sold_out are a drop’s daily bread. overloaded and unavailable are ours: see Shedding, RedisAway. sale_not_active for long: clients with a wrong sale.',
    queries: [[rateBy('reason', 'checkout_failure_total'), '{{reason}}']],
    stacked: true,
  }),
  lines({
    title: 'Purchases refused or failed, by reason',
    about:
      'all_items_sold: others were faster. already_processed: clients that repeat. outcome_unknown: see OutcomesUnknown. Much checkout_not_found: codes are guessed, or Redis lost carts.',
    queries: [[rateBy('reason', 'purchase_failure_total'), '{{reason}}']],
    stacked: true,
  }),
  lines({
    title: 'Refused at the door, by reason',
    about:
      'Requests whose buyer did not prove himself, or that came too often. Some missing and expired are normal; forged, malformed and …_rate are bots; unknown_key, foreign and algorithm are settings: see BuyersUnproven, RatesRefuse. Empty where neither is configured.',
    queries: [[rateBy('reason', 'flashsale_door_refusals_total'), '{{reason}}']],
    stacked: true,
  }),
  lines({
    title: 'Checkouts refused from memory',
    about:
      'These cost neither Redis nor Postgres anything. None at all while items are sold: workers hear nothing of the sold channel, and only get slower.',
    queries: [[rateBy('kind', 'flashsale_shard_refusals_total'), '{{kind}}']],
    stacked: true,
  }),
  lines({
    title: 'Refused for being sold, from memory',
    about:
      'The share of such refusals that did not reach Redis. Rises to nearly 100 % within seconds of the opening.',
    queries: [
      [
        `${rate('flashsale_shard_refusals_total')} / (${rate('checkout_failure_total{reason=~"item_already_sold|sale_sold_out"}')} > 0)`,
        'from memory',
      ],
    ],
    unit: 'percentunit',
    max: 1,
  }),
  lines({
    title: 'Failures by handler',
    about:
      'The share of answers that are 5xx. Normally 0. The red line is PurchasesFail and CheckoutsFail; /readyz says 503 while a box drains.',
    queries: [['handler:http_errors:ratio1m', '{{handler}}']],
    unit: 'percentunit',
    limit: 0.05,
  }),
  lines({
    title: 'Turned away, since a queue was full',
    about:
      '503 overloaded, per second. Normally none. Some at the opening is the bound at work; for minutes see Shedding.',
    queries: [[rateBy('handler', 'flashsale_shed_requests_total'), '{{handler}}']],
  }),
];
