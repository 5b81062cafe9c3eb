import type { MetricJson } from '../../messages.ts';
import { gauge } from '../../metrics/series.ts';
import type { Redis } from '../../store/redis.ts';
import { inTime } from './in-time.ts';

/** How much memory Redis uses and may use: of a Cluster the fullest server. While it is away there is no figure rather than an old one. */
export async function readRedisGauges(redis: Redis): Promise<MetricJson[]> {
  const asking = redis.commandAll('INFO', 'memory').catch(() => []);
  const infos = (await inTime(asking, [])).map(String);
  const bytesIn = (info: string, field: string) =>
    Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(info)?.[1]);
  const fullness = (info: string) =>
    bytesIn(info, 'used_memory') / (bytesIn(info, 'maxmemory') || Number.MAX_VALUE);
  const fullest = infos.toSorted((a, b) => fullness(b) - fullness(a))[0] ?? '';
  const read = (field: string) => {
    const bytes = bytesIn(fullest, field);
    return Number.isNaN(bytes) ? [] : [[bytes] as const];
  };
  return [
    gauge('flashsale_redis_memory_used_bytes', 'Memory that Redis uses', read('used_memory')),
    gauge('flashsale_redis_memory_max_bytes', 'maxmemory of Redis; 0: no limit', read('maxmemory')),
  ];
}
