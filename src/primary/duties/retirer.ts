import type { Log } from '../../log.ts';
import type { LiveSale } from '../../sale.ts';
import type { Difference } from '../../store/audit/audit.ts';
import type { Postgres } from '../../store/postgres.ts';
import type { Redis } from '../../store/redis.ts';
import { retireSale } from '../../store/retire.ts';
import type { Work } from '../every.ts';
import { createRest, reportDifferences } from './auditor.ts';
import { reportContradiction } from './contradiction.ts';
import { forEachSale } from './each-sale.ts';
import type { OnSalvaged } from './salvaged.ts';

/**
 * A sale's keys stay for this long after its end: late posts find their receipts without Postgres, and the
 * sweeper has time for what is left in the outbox.
 */
export const LINGER_MS = 60_000;

export interface RetirerOptions {
  readonly redis: Redis;
  readonly postgres: Postgres;
  readonly log: Log;
  readonly sales: () => readonly LiveSale[];
  readonly onDifference: (count: number) => void;
  readonly onContradiction: () => void;
  readonly onSalvaged: OnSalvaged;
}

export interface Retirer {
  /** Retires what is over, one sale after the other; each is audited first, at the auditor's pace. The signal ends it. */
  readonly retire: Work;
  isRetiring(saleId: string): boolean;
}

export function createRetirer(options: RetirerOptions): Retirer {
  const { redis, postgres, log, sales, onDifference, onContradiction, onSalvaged } = options;
  let retiring: string | undefined;
  const report = (sale: LiveSale) => (differences: readonly Difference[]) => {
    onDifference(differences.length);
    reportDifferences(log, sale.id, differences);
  };
  const retireOne = async (sale: LiveSale, signal: AbortSignal) => {
    const done = await retireSale(redis, postgres, sale, {
      afterMs: LINGER_MS,
      onContradiction: reportContradiction(log, onContradiction),
      onSalvaged: (decisions) => onSalvaged(sale.id, decisions),
      onDifferences: report(sale),
      rest: createRest(signal),
      beforeRemoval: () => {
        retiring = sale.id;
      },
    });
    if (done) log.info({ sale: sale.id }, 'sale retired');
  };
  return {
    isRetiring: (saleId) => saleId === retiring,
    async retire(signal) {
      const over = sales().filter(({ endsAtMs }) => Date.now() >= endsAtMs + LINGER_MS);
      const work = (sale: LiveSale) =>
        retireOne(sale, signal).finally(() => {
          retiring = undefined;
        });
      await forEachSale(log, over, 'a sale could not be retired', work, signal);
    },
  };
}
