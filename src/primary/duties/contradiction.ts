import type { Log } from '../../log.ts';
import type { OnContradiction } from '../../store/commit.ts';

/**
 * Logs and counts a decision that Postgres does not accept: with right code there is none, except after an old copy of
 * Redis, or in one whose data was changed by hand.
 */
export const reportContradiction =
  (log: Log, onContradiction: () => void): OnContradiction =>
  ({ saleId, userId, lines }, err) => {
    onContradiction();
    log.error({ sale: saleId, user: userId, lines, err }, 'a decision contradicts Postgres');
  };
