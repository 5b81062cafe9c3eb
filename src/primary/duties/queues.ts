import type { Log } from '../../log.ts';
import type { LiveSale } from '../../sale.ts';
import type { Postgres } from '../../store/postgres.ts';
import { holdQueue } from '../../store/queue/hold.ts';
import { type QueueState, restoreQueue } from '../../store/queue/line.ts';
import { drawPlaces, type SavedQueue, saveState } from '../../store/queue/saved.ts';
import type { Redis } from '../../store/redis.ts';
import { forEachSale } from './each-sale.ts';

export interface QueuesOptions {
  readonly redis: Redis;
  readonly postgres: Postgres;
  readonly log: Log;
  readonly sales: () => readonly LiveSale[];
}

/**
 * A function that looks after the queues: gives them to a Redis that does not hold them, makes the draw when a sale has begun, and
 * notes in Postgres how far they are. Two that do so at once do no harm: the draw is one update, and nothing goes backwards.
 */
export function createQueueDuty({ redis, postgres, log, sales }: QueuesOptions): () => Promise<void> {
  const look = async (sale: LiveSale): Promise<void> => {
    const held = await holdQueue(redis, postgres, sale);
    // A sale whose queue was made since is known with the next look.
    if (held === undefined) return;
    const { saved, state, restored } = held;
    if (restored) log.info({ sale: sale.id, joined: saved.joined, later: saved.reserved }, 'queue restored');
    if (isNews(saved, state)) await saveState(postgres, sale.id, state);
    // Postgres has it: now buyers may go by it.
    if (state.ahead > state.line)
      await restoreQueue(redis, sale.id, { ...saved, line: state.ahead, tail: state.tail });
    if (!state.begun || saved.drawn !== null) return;
    const drawn = await drawPlaces(postgres, sale.id, state.joined);
    if (drawn !== undefined) log.info({ sale: sale.id, drawn }, 'queue drawn');
  };

  return async () => {
    // A sale that is over is retired soon: nothing of it must be written to Redis any more.
    const queued = sales().filter(({ queue, endsAtMs }) => queue !== undefined && endsAtMs > Date.now());
    await forEachSale(log, queued, 'a queue could not be looked after', look);
  };
}

const isNews = (saved: SavedQueue, { joined, ahead, tail, later }: QueueState): boolean =>
  joined > saved.joined || ahead > saved.line || tail > saved.tail || later > saved.reserved;
