import type { LiveSale } from '../../sale.ts';
import { Unavailable } from '../errors.ts';
import type { Postgres } from '../postgres.ts';
import type { Redis } from '../redis.ts';
import { advanceLine, type QueueState, restoreQueue } from './line.ts';
import { readSaved, type SavedQueue } from './saved.ts';

/** A queue as both stores have it. */
interface Held {
  readonly saved: SavedQueue;
  readonly state: QueueState;
  /** Redis did not hold it. */
  readonly restored: boolean;
}

/**
 * Looks where a sale's queue stands, and gives it back to a Redis that does not hold it; from then on Redis goes by these facts of the
 * sale, or later ones. Undefined while Postgres does not have the queue. Throws as the stores do; Unavailable when Redis is
 * exchanged meanwhile.
 */
export async function holdQueue(redis: Redis, postgres: Postgres, sale: LiveSale): Promise<Held | undefined> {
  const saved = await readSaved(postgres, sale.id);
  if (saved === undefined) return undefined;
  const state = await advanceLine(redis, sale, false);
  if (state !== undefined) return { saved, state, restored: false };
  await restoreQueue(redis, sale.id, saved);
  const again = await advanceLine(redis, sale, false);
  if (again === undefined) throw new Unavailable('Redis does not hold the queue');
  return { saved, state: again, restored: true };
}
