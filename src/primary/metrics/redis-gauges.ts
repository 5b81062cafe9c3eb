import { setTimeout as sleep } from 'node:timers/promises';
import type { MetricJson } from '../../messages.ts';
import { gauge } from '../../metrics/series.ts';
import type { Redis } from '../../store/redis.ts';

/** As for the gauges of sales: a Redis that does not answer by then has no figures. */
const DEADLINE_MS = 250;

/** How much memory Redis uses and may use. While it is away there is no figure rather than an old one. */
export async function readRedisGauges(redis: Redis): Promise<MetricJson[]> {
  const asking = redis.command('INFO', 'memory').then(String, () => '');
  const info = await Promise.race([asking, sleep(DEADLINE_MS, '', { ref: false })]);
  const read = (field: string) => {
    const bytes = new RegExp(`^${field}:(\\d+)`, 'm').exec(info)?.[1];
    return bytes === undefined ? [] : [[Number(bytes)] as const];
  };
  return [
    gauge('flashsale_redis_memory_used_bytes', 'Memory that Redis uses', read('used_memory')),
    gauge('flashsale_redis_memory_max_bytes', 'maxmemory of Redis; 0: no limit', read('maxmemory')),
  ];
}
