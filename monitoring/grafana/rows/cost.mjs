import { lines } from '../panels.mjs';
import { rate, rateBy } from '../queries.mjs';

export const cost = [
  lines({
    title: 'CPU by process',
    about: 'Cores. A worker is one thread: at 1 it is full. Redis and Postgres are not in it.',
    queries: [[rateBy('process', 'flashsale_process_cpu_seconds_total'), '{{process}}']],
    stacked: true,
  }),
  lines({
    title: 'CPU per request',
    about: 'Of primary and workers. 20 to 60 µs under load, much more when there is little to do.',
    queries: [
      [
        `${rate('process_cpu_seconds_total{job="flashsale"}')} / (${rate('http_requests_total')} > 0)`,
        'per request',
      ],
    ],
    unit: 's',
  }),
  lines({
    title: 'Memory by process',
    about:
      'Resident. 100 to 300 MB; the red line is MemoryHigh. One that only climbs leaks: roll the workers.',
    queries: [['flashsale_process_resident_memory_bytes', '{{process}}']],
    unit: 'bytes',
    limit: 2 ** 30,
  }),
  lines({
    title: 'Garbage collection',
    about: 'The share of the time of one core, by kind, over all processes. Some percent under load.',
    queries: [[rateBy('kind', 'nodejs_gc_duration_seconds_sum'), '{{kind}}']],
    unit: 'percentunit',
    stacked: true,
  }),
  lines({
    title: 'Heap of all processes',
    about: 'Used and reserved by V8. A sawtooth.',
    queries: [
      ['sum(nodejs_heap_size_used_bytes)', 'used'],
      ['sum(nodejs_heap_size_total_bytes)', 'reserved'],
    ],
    unit: 'bytes',
  }),
  lines({
    title: 'Client connections',
    about: 'Open ones, per box. 20,000 per worker are the bound: see ConnectionsNearlyFull.',
    queries: [['flashsale_http_connections', '{{instance}}']],
  }),
  lines({
    title: 'Connections to Postgres',
    about:
      'Of all processes. At most 6 per worker and 8 of the primary. All in use for long: commits are slow.',
    queries: [
      ['sum(db_connections_active)', 'in use'],
      ['sum(db_connections_idle)', 'idle'],
    ],
    stacked: true,
  }),
  lines({
    title: 'Workers',
    about:
      'Those that serve; deaths and starts in five minutes. See WorkerDied, WorkersMissing. A roll starts each once, without a death.',
    queries: [
      ['sum(flashsale_workers)', 'serving'],
      ['sum(increase(flashsale_worker_deaths_total[5m]))', 'deaths'],
      ['sum(increase(flashsale_worker_starts_total[5m]))', 'starts'],
    ],
  }),
  lines({
    title: 'Watching itself',
    about:
      'Time of a scrape: some 30 ms, 0.5 s when a worker is silent. Log lines dropped per second: normally 0, see LogLinesDropped.',
    queries: [
      ['scrape_duration_seconds{job="flashsale"}', 'scrape of {{instance}}'],
      [rate('flashsale_log_lines_dropped_total'), 'log lines dropped'],
    ],
  }),
];
