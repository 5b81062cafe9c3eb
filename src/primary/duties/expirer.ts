import type { Log } from '../../log.ts';
import { type Due, expirePayments, findDue } from '../../store/payments.ts';
import type { Postgres } from '../../store/postgres.ts';
import type { Redis } from '../../store/redis.ts';
import { shelveGiven } from '../../store/returns.ts';
import type { Work } from '../every.ts';
import { forEachSale } from './each-sale.ts';

/** Transactions for one sale before the next has its turn: 5,000 purchases. */
const BATCHES_MAX = 10;

export interface ExpirerOptions {
  readonly redis: Redis;
  readonly postgres: Postgres;
  readonly log: Log;
  readonly onExpired: (purchases: number) => void;
  /** Hears in each run for how long the oldest payment has been due, in seconds; 0: none is. */
  readonly onDue: (ageS: number) => void;
}

/**
 * Releases what nobody has paid in time, by Postgres' clock, and puts it on the shelf. Two leaders at a time expire each once; what
 * one of them could not put on the shelf, the leader does with every other return.
 */
export function createExpirer({ redis, postgres, log, onExpired, onDue }: ExpirerOptions): Work {
  const expire = async ({ id }: { readonly id: string }, signal: AbortSignal) => {
    for (let batches = 0; batches < BATCHES_MAX && !signal.aborted; batches++) {
      const { count, given, isFull } = await expirePayments(postgres, id);
      if (given === undefined) return;
      onExpired(count);
      log.info({ sale: id, purchases: count }, 'payments expired');
      await shelveGiven(redis, postgres, id, given).catch((err: unknown) =>
        log.debug({ sale: id, err }, 'units that came back are left to the leader'),
      );
      if (!isFull) return;
    }
  };
  return async (signal) => {
    const due = await findDue(postgres);
    onDue(Math.max(0, ...due.map(({ ageS }: Due) => ageS)));
    const sales = due.map(({ saleId }) => ({ id: saleId }));
    await forEachSale(log, sales, 'payments could not be expired', (sale) => expire(sale, signal), signal);
  };
}
