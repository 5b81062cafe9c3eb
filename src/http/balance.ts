/**
 * Evens out kept connections among workers. The kernel gives a new connection to whichever worker is awake first, so
 * that of 64 clients who connect at once 45 may get one worker, which then limits the whole box. A worker with more
 * than its share asks some clients, with their next answers, to close and reconnect.
 */
export interface Balance {
  /** The primary reports the mean of all workers. */
  setFairShare(connections: number): void;
  /** Whether to ask the client that is being answered; each call uses up one. */
  takeSurplus(): boolean;
}

/** Differences within this factor of the mean are not worth a reconnect. */
const TOLERANCE = 1.1;
const TOLERATED_MIN = 2;

export function createBalance(openConnections: () => number): Balance {
  let surplus = 0;
  return {
    setFairShare(connections) {
      const tolerated = Math.max(connections * TOLERANCE, connections + TOLERATED_MIN);
      surplus = openConnections() > tolerated ? Math.floor(openConnections() - connections) : 0;
    },
    takeSurplus() {
      if (surplus === 0) return false;
      surplus--;
      return true;
    },
  };
}
