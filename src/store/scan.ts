import type { Redis } from './redis.ts';

/** Fields of one HSCAN: it holds Redis' only thread for less than a millisecond. */
const COUNT = 1_000;

/** The fields of a hash with their values, in parts; a field may come twice, and one that is new may be missed. */
export async function* scanHash(redis: Redis, key: string): AsyncGenerator<Map<string, string>> {
  let cursor = '0';
  do {
    const reply = await redis.command('HSCAN', key, cursor, 'COUNT', String(COUNT));
    const [next, words] = reply as [string, string[]];
    const part = new Map<string, string>();
    for (let i = 0; i < words.length; i += 2) part.set(words[i] as string, words[i + 1] as string);
    if (part.size > 0) yield part;
    cursor = next;
  } while (cursor !== '0');
}
