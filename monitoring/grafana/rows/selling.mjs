import { lines, table } from '../panels.mjs';
import { rate, SALE } from '../queries.mjs';

export const selling = [
  table({
    title: 'Live sales',
    about:
      'From their creation to a minute after their end: the hourly ones of this hour and the next, unless they are off, and those of the admin API. Left at 0: sold out.',
    queries: [
      [`max by (sale) (flashsale_sale_items${SALE})`],
      [`max by (sale) (flashsale_sale_items_sold${SALE})`],
      [`max by (sale) (flashsale_sale_items${SALE}) - max by (sale) (flashsale_sale_items_sold${SALE})`],
      [`max by (sale) (flashsale_sale_starts_timestamp_seconds${SALE}) - time()`],
      [`max by (sale) (flashsale_sale_ends_timestamp_seconds${SALE}) - time()`],
      [`min by (sale) (flashsale_gate_open${SALE})`],
    ],
    columns: {
      ...{ sale: 'Sale', 'Value #A': 'Items', 'Value #B': 'Sold', 'Value #C': 'Left' },
      ...{ 'Value #D': 'Begins in', 'Value #E': 'Ends in', 'Value #F': 'Gate open' },
    },
    units: { 'Begins in': 's', 'Ends in': 's' },
  }),
  table({
    title: 'Alerts, firing and pending',
    about: 'Normally none. Each has a heading of its name in docs/runbook.md.',
    queries: [['ALERTS']],
    columns: {
      alertname: 'Alert',
      alertstate: 'State',
      severity: 'Severity',
      sale: 'Sale',
      process: 'Process',
    },
    hidden: ['Value', 'Value #A', '__name__', 'job'],
  }),
  lines({
    title: 'Items sold',
    about:
      'Climbs steeply at the opening and ends at the sale’s total. A line that falls means that Redis was rebuilt, and lost what nobody had been told.',
    queries: [
      [`max by (sale) (flashsale_sale_items_sold${SALE})`, '{{sale}}'],
      [`max by (sale) (flashsale_sale_items${SALE})`, '{{sale}}: all'],
    ],
  }),
  lines({
    title: 'Carts and purchases',
    about:
      'Carts filled, purchases answered 200, items sold, per second. Carts without purchases for long: see NothingSells.',
    queries: [
      [rate('checkout_success_total'), 'checkouts accepted'],
      [rate('purchase_success_total'), 'purchases accepted'],
      [rate('sale_items_sold_total'), 'items sold'],
    ],
  }),
  lines({
    title: 'Attempts',
    about:
      'What people ask for, per second. Most checkouts are hopeless once the popular items are gone; that is no fault.',
    queries: [
      [rate('checkout_attempts_total'), 'checkouts'],
      [rate('purchase_attempts_total'), 'purchases'],
    ],
  }),
];
