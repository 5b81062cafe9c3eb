/**
 * Evens out kept connections among workers. The kernel gives a new connection to whichever worker is awake first, so
 * that of 64 clients who come at once 45 may be one worker's, which then is the bottleneck of all. A worker with more
 * than its share asks some clients, with their next answers, to close and come again.
 */
export interface Balance {
  /** Told by the primary: the mean of all workers. */
  setFairShare(connections: number): void;
  /** Whether the client that is being answered is one of those to ask; each call uses up one. */
  takeSurplus(): boolean;
}

/** Within this of the mean nothing is gained; clients should not have to come again for it. */
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
