import type { Log } from '../../log.ts';

/** Hears how many decisions of a sale were in Redis alone, and are committed now; which may be 0. */
export type OnSalvaged = (saleId: string, decisions: number) => void;

/**
 * Logs and counts them. With right code there are none, unless Postgres has come back without its last commits, or Redis has
 * lost its outbox.
 */
export const createSalvagedReport =
  (log: Log, count: (decisions: number) => void): OnSalvaged =>
  (saleId, decisions) => {
    if (decisions === 0) return;
    count(decisions);
    log.error({ sale: saleId, decisions }, 'decisions that only Redis knew were committed');
  };
