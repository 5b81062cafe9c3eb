import { setTimeout as sleep } from 'node:timers/promises';

/** What came of those who were held. */
export interface Held {
  readonly bought: number;
  /** So many heard nothing at first, and asked again with the same code. */
  readonly askedAgain: number;
}

/** A buyer's place at the till. */
export interface Place {
  askedAgain(): void;
  leave(bought: boolean): void;
}

/** Where buyers pay. It can be shut for a moment, so that many of them buy at once. */
export interface Till {
  /** Resolves when it is open. */
  enter(): Promise<Place>;
  /** Buyers who wait. */
  readonly waiting: number;
  shut(): void;
  /** Lets all in who wait; resolves when each of them knows the outcome. */
  open(): Promise<Held>;
}

const LOOK_MS = 20;

export function createTill(signal: AbortSignal): Till {
  let isShut = false;
  let waiting = 0;
  let inside = 0;
  const bought = new Set<Place>();
  const again = new Set<Place>();
  const until = async (isSo: () => boolean) => {
    while (!isSo()) await sleep(LOOK_MS, undefined, { signal });
  };
  return {
    async enter() {
      const wasShut = isShut;
      if (wasShut) {
        waiting++;
        await until(() => !isShut);
      }
      const place: Place = {
        askedAgain: () => void (wasShut && again.add(place)),
        leave(isBought) {
          if (!wasShut) return;
          inside--;
          if (isBought) bought.add(place);
        },
      };
      return place;
    },
    get waiting() {
      return waiting;
    },
    shut() {
      bought.clear();
      again.clear();
      waiting = 0;
      isShut = true;
    },
    async open() {
      inside = waiting;
      isShut = false;
      await until(() => inside <= 0);
      return { bought: bought.size, askedAgain: again.size };
    },
  };
}
