import { lines } from '../panels.mjs';
import { SALE } from '../queries.mjs';

export const behind = [
  lines({
    title: 'Queues',
    about:
      'Operations that wait or are under way. 8,192 checkouts or 4,096 purchases of a sale in a worker are the bound; past it they are turned away.',
    queries: [['sum by (queue) (flashsale_queue_depth)', '{{queue}}']],
  }),
  lines({
    title: 'Outbox: batches not yet committed',
    about:
      'Below ten, and 0 when nobody buys. They wait for Postgres, or for the sweeper when a worker died.',
    queries: [[`max by (sale) (flashsale_outbox_entries${SALE})`, '{{sale}}']],
  }),
  lines({
    title: 'Outbox: age of the oldest',
    about:
      'Well below a second; up to 3 s when a worker died. The red line is OutboxOld: what is decided does not reach Postgres.',
    queries: [[`max by (sale) (flashsale_outbox_oldest_age_seconds${SALE})`, '{{sale}}']],
    unit: 's',
    limit: 10,
  }),
  lines({
    title: 'Attempt log: bytes not yet in Postgres',
    about:
      'About a second’s worth. Grows while Postgres is away; at 512 MiB (the red line) checkouts are refused. See SpoolGrows.',
    queries: [['flashsale_spool_bytes', '{{instance}}']],
    unit: 'bytes',
    limit: 2 ** 29,
  }),
  lines({
    title: 'Attempt log: segments not yet in Postgres',
    about: 'A few. Many small ones: workers die often.',
    queries: [
      ['flashsale_spool_segments', '{{instance}}'],
      ['flashsale_spool_refused_segments', '{{instance}}, refused'],
      ['flashsale_stray_attempts', '{{instance}}, stray attempts'],
    ],
  }),
  lines({
    title: 'Workers that did not answer a scrape',
    about: 'Normally 0. Their last known figures are shown. For half a minute: see WorkerSilent.',
    queries: [['flashsale_scrape_silent_workers', '{{instance}}']],
  }),
];
