import type { Turn } from './sale-queue.ts';

/** Turns are told this often at most: people do not read faster. */
const PULSE_MS = 1_000;
/** Of a wait that is so long, in seconds, every so many pulses are enough. */
const RARELY = [
  { fromS: 600, pulses: 15 },
  { fromS: 60, pulses: 5 },
] as const;
/** Gateways close a connection on which nothing comes for a minute. */
const BEAT_PULSES = 15;
/** How soon a listener connects again after the worker has left. */
const HELLO = 'retry: 1000\n\n';
const BEAT = ':\n\n';

export interface Listener {
  /** The turn as it is now. */
  readonly turn: () => Turn;
  /** What is told of it, as JSON. */
  readonly textOf: (turn: Turn) => string;
  readonly isLeaving: () => boolean;
}

/** Tells listeners of queues when something has changed about their turns: one timer for all of them. */
export interface Turns {
  /** The parts of a stream of server-sent events. It ends when the turn has come or is over, and when the worker leaves. */
  follow(listener: Listener): AsyncGenerator<string>;
  /** How many listen now. */
  readonly listeners: number;
}

export function createTurns(): Turns {
  let listeners = 0;
  let waiting: (() => void)[] = [];
  let timer: NodeJS.Timeout | undefined;

  const beat = () => {
    const woken = waiting;
    waiting = [];
    if (woken.length === 0) {
      clearInterval(timer);
      timer = undefined;
    }
    for (const wake of woken) wake();
  };
  const pulse = () =>
    new Promise<void>((resolve) => {
      timer ??= setInterval(beat, PULSE_MS);
      waiting.push(resolve);
    });

  return {
    get listeners() {
      return listeners;
    },
    async *follow({ turn, textOf, isLeaving }) {
      listeners++;
      try {
        yield HELLO;
        let last = '';
        for (let quiet = BEAT_PULSES; !isLeaving(); quiet++) {
          const now = turn();
          const text = isEnd(now) || quiet >= pulsesOf(now) ? textOf(now) : last;
          if (text !== last) {
            yield eventOf(now, text);
            last = text;
            quiet = 0;
          } else if (quiet > BEAT_PULSES) {
            yield BEAT;
            quiet = 0;
          }
          if (isEnd(now)) return;
          await pulse();
        }
      } finally {
        listeners--;
      }
    },
  };
}

const isEnd = ({ state }: Turn): boolean => state === 'admitted' || state === 'over';

/** An end of the queue has an id: whoever comes back with it has been told. */
const eventOf = (turn: Turn, text: string): string =>
  `${isEnd(turn) ? `id: ${turn.state}\n` : ''}data: ${text}\n\n`;

/** How many pulses lie between two messages at least. */
const pulsesOf = ({ state, waitSeconds }: Turn): number =>
  state === 'waiting' ? (RARELY.find(({ fromS }) => (waitSeconds ?? 0) > fromS)?.pulses ?? 1) : 1;
