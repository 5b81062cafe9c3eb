/** The check of a sale's queue: what buyers go by in Redis must be in Postgres, or a loss of Redis would move them. */
import { queueKeysOf } from '../keys.ts';
import { readSaved } from '../queue/saved.ts';
import type { Redis } from '../redis.ts';
import type { Check } from './findings.ts';

/** Postgres has the draw, every number that was given, and as much of the line as buyers go by. The subject is the sale. */
export const checkQueue: Check = async ({ redis, postgres, saleId }) => {
  // Redis first: what Postgres has only grows.
  const held = redis && (await readHeld(redis, saleId));
  const saved = held && (await readSaved(postgres, saleId));
  if (held === undefined || saved === undefined) return new Map();
  const { drawn, later, shown } = held;
  const finding =
    drawn !== undefined && drawn !== saved.drawn
      ? `has drawn ${drawn} in Redis and ${saved.drawn ?? 'nobody'} in Postgres`
      : later > saved.reserved
        ? `has given ${later} numbers, and ${saved.reserved} are reserved in Postgres`
        : shown > saved.line
          ? `has admitted up to ${shown}, and Postgres up to ${saved.line}`
          : undefined;
  return new Map(finding === undefined ? [] : [[saleId, finding]]);
};

async function readHeld(redis: Redis, saleId: string) {
  const words = ['HMGET', queueKeysOf(saleId).queue, 'drawn', 'later', 'shown'];
  const [drawn, later, shown] = (await redis.command(...words)) as (string | null)[];
  // A Redis that does not hold it is given it back by the leader.
  if (later == null) return undefined;
  return { drawn: drawn == null ? undefined : Number(drawn), later: Number(later), shown: Number(shown) };
}
