import { lines } from '../panels.mjs';
import { rateBy, SALE } from '../queries.mjs';

/** Of sales with a payment window; without one, the row is empty. */
export const payments = [
  lines({
    title: 'Units held for payments',
    about:
      'Bought and not paid yet, of each sale with a payment window. Climbs with the sales, and falls as payments come, fail or run out of time. Empty without a payment window.',
    queries: [[`max by (sale) (flashsale_sale_items_held${SALE})`, '{{sale}}']],
  }),
  lines({
    title: 'Payments settled, per second',
    about:
      'confirmed and released by the shop, expired by the leader. Nearly all expired: the shop does not tell of payments that came.',
    queries: [[rateBy('how', 'flashsale_payments_settled_total'), '{{how}}']],
    stacked: true,
  }),
  lines({
    title: 'Payments that are due',
    about: 'For how long the oldest has been due. Below a second. The red line is ExpiryLate.',
    queries: [['max(flashsale_payments_due_age_seconds)', 'oldest']],
    unit: 's',
    limit: 10,
  }),
];
