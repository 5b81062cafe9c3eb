import { saleOfCode } from './checkouts.ts';
import { keysOf } from './keys.ts';
import { nameIn } from './label.ts';
import type { Redis } from './redis.ts';

export interface CartLine {
  readonly id: string;
  readonly name: string;
  /** Units asked for. */
  readonly quantity: number;
  /** Whether that many are left. A cart reserves nothing: they may be gone in a moment. */
  readonly available: boolean;
}

export interface Cart {
  readonly userId: string;
  readonly lines: readonly CartLine[];
}

/**
 * The cart of a well-formed code, from Redis; undefined when there is none: it was bought, or never was. Reads only, so that a
 * Redis that is to be rebuilt may show an old cart; nothing can be bought from it. Throws as `Redis.command` does.
 */
export async function readCart(redis: Redis, code: string): Promise<Cart | undefined> {
  const k = keysOf(saleOfCode(code) as string);
  const userId = (await redis.command('HGET', k.codes, code)) as string | null;
  if (userId === null) return undefined;
  const text = (await redis.command('HGET', k.carts, userId)) as string | null;
  const [of, ...words] = (text ?? '').trim().split(' ');
  // Bought between the two commands: the user may have the next cart.
  if (of !== code) return undefined;
  const lines = words.map((word) => {
    const [id = '', quantity = '1'] = word.split('*');
    return { id, quantity: Number(quantity) };
  });
  if (lines.length === 0) return { userId, lines: [] };
  const ids = lines.map(({ id }) => id);
  const [left, names] = (await Promise.all([
    redis.command('HMGET', k.items, ...ids),
    redis.command('HMGET', k.names, ...ids),
  ])) as [(string | null)[], (string | null)[]];
  return {
    userId,
    lines: lines.map(({ id, quantity }, i) => ({
      ...{ id, name: nameIn(names[i] ?? ''), quantity },
      available: Number(left[i] ?? 0) >= quantity,
    })),
  };
}
