import { lines } from '../panels.mjs';
import { quantile, rateBy } from '../queries.mjs';

export const slow = [
  lines({
    title: 'Redis: p99 by script and command',
    about: 'A few ms. All of them slow: Redis’ CPU or its disk. Deadlines are 0.9 s.',
    queries: [[quantile(0.99, 'redis_command_duration_seconds_bucket', 'command, '), '{{command}}']],
    unit: 's',
  }),
  lines({
    title: 'Postgres: p99 by statement',
    about: 'Some 25 ms with 200 buyers. Commits of purchases that climb: Postgres’ disk, or locks.',
    queries: [
      [quantile(0.99, 'db_query_duration_seconds_bucket', 'query_type, table, '), '{{query_type}} {{table}}'],
    ],
    unit: 's',
  }),
  lines({
    title: 'Event loop: longest delay',
    about:
      'Since the last scrape, of each process. 10 to 50 ms; the red line, for a minute, is EventLoopStalls: more load than this process can carry.',
    queries: [['flashsale_event_loop_delay_seconds', '{{process}}']],
    unit: 's',
    limit: 0.2,
  }),
  lines({
    title: 'Event loop: p99 of the delay',
    about: 'Of the worst process. Some 10 ms are the timer’s own.',
    queries: [
      ['max(nodejs_eventloop_lag_p99_seconds)', 'p99'],
      ['max(nodejs_eventloop_lag_p50_seconds)', 'p50'],
    ],
    unit: 's',
  }),
  lines({
    title: 'Operations per script call',
    about: 'The mean. 1 without a crowd, some 20 with 100 connections, at most 256: the more, the cheaper.',
    queries: [
      [
        `${rateBy('batch', 'flashsale_batch_size_sum')} / (${rateBy('batch', 'flashsale_batch_size_count')} > 0)`,
        '{{batch}}',
      ],
    ],
  }),
  lines({
    title: 'Questions between workers',
    about:
      'Per second. unanswered and not_asked are nothing but slowness, and rare; when they are most, a worker is stuck: see WorkerSilent.',
    queries: [[rateBy('outcome', 'flashsale_owner_questions_total'), '{{outcome}}']],
  }),
];
