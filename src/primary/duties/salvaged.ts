import type { Log } from '../../log.ts';

/**
 * Logs how many decisions of a sale were in Redis alone, and are committed now. With right code there are none, unless Postgres
 * has come back without its last commits, or Redis has lost its outbox.
 */
export function reportSalvaged(log: Log, saleId: string, decisions: number): void {
  if (decisions === 0) return;
  log.error({ sale: saleId, decisions }, 'decisions that only Redis knew were committed');
}
