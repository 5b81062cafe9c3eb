/** Knows whether a store is up, so that no request waits for one that is away. */
export interface Breaker {
  readonly isUp: boolean;
  /** The store is away: it is asked again, once at a time, until it answers. */
  trip(error: Error): void;
  /** Stops asking. */
  close(): void;
}

export interface BreakerOptions {
  /** Resolves when the store can do its work again; rejects while it cannot. Bounded in time by the store's own deadline. */
  readonly probe: () => Promise<unknown>;
  /** Between two probes, in ms. */
  readonly retryMs: number;
  /** Called when the breaker trips, not for each failed probe. */
  readonly onTrip?: (error: Error) => void;
}

export function createBreaker({ probe, retryMs, onTrip }: BreakerOptions): Breaker {
  let isUp = true;
  let isClosed = false;
  let timer: NodeJS.Timeout | undefined;

  const ask = () => {
    probe().then(
      () => {
        isUp = true;
      },
      () => {
        if (!isClosed) timer = setTimeout(ask, retryMs);
      },
    );
  };

  return {
    get isUp() {
      return isUp;
    },
    trip(error) {
      if (!isUp || isClosed) return;
      isUp = false;
      onTrip?.(error);
      timer = setTimeout(ask, retryMs);
    },
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}
