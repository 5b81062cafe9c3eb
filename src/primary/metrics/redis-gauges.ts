import type { MetricJson } from '../../messages.ts';
import { gauge } from '../../metrics/series.ts';
import type { Redis } from '../../store/redis.ts';
import { inTime } from './in-time.ts';

/** How much memory Redis uses and may use. While it is away there is no figure rather than an old one. */
export async function readRedisGauges(redis: Redis): Promise<MetricJson[]> {
  const asking = redis.command('INFO', 'memory').then(String, () => '');
  const info = await inTime(asking, '');
  const read = (field: string) => {
    const bytes = new RegExp(`^${field}:(\\d+)`, 'm').exec(info)?.[1];
    return bytes === undefined ? [] : [[Number(bytes)] as const];
  };
  return [
    gauge('flashsale_redis_memory_used_bytes', 'Memory that Redis uses', read('used_memory')),
    gauge('flashsale_redis_memory_max_bytes', 'maxmemory of Redis; 0: no limit', read('maxmemory')),
  ];
}
