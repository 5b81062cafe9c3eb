import { lines } from '../panels.mjs';
import { rateBy } from '../queries.mjs';

/** Of the webhooks; without WEBHOOK_URL the row is empty but for zeros. */
export const webhooks = [
  lines({
    title: 'Webhooks, per second',
    about:
      'delivered; failed: each try in vain; dead: given up. Delivered follows purchases and sales. Failed without delivered: the receiver is away, see WebhooksLate.',
    queries: [[rateBy('outcome', 'flashsale_webhooks_total'), '{{outcome}}']],
    stacked: true,
  }),
  lines({
    title: 'Oldest event that has not arrived',
    about:
      'Below a second while the receiver answers. The red line is WebhooksLate. No purchase waits for it.',
    queries: [['max(flashsale_webhook_backlog_age_seconds)', 'oldest']],
    unit: 's',
    limit: 600,
  }),
  lines({
    title: 'Events that wait, and dead ones',
    about:
      'waiting: for another try, or behind one that does. dead: not tried again until somebody asks for it, see WebhooksDead.',
    queries: [
      ['max(flashsale_webhooks_waiting)', 'waiting'],
      ['max(flashsale_webhooks_dead)', 'dead'],
    ],
  }),
];
