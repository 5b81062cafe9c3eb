import type { Log } from '../../log.ts';
import type { OnContradiction } from '../../store/outbox.ts';

/** Logs a decision that Postgres does not accept. Only a bug or an old copy of Redis causes one. */
export const reportContradiction =
  (log: Log): OnContradiction =>
  (entry, { saleId, userId, lines }, err) => {
    log.error({ sale: saleId, entry: entry.id, user: userId, lines, err }, 'a decision contradicts Postgres');
  };
