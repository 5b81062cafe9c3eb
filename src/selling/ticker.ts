import { type LiveSale, type SaleState, stateOf } from '../sale.ts';
import type { Redis } from '../store/redis.ts';
import { createChanges } from './changes.ts';

/** What a listener of a sale is told. */
export interface News {
  readonly items_sold: number;
  readonly items_held: number;
  readonly items_left: number;
  readonly state: SaleState;
  /** What is left of the items that changed. */
  readonly items: Readonly<Record<string, number>>;
}

/** News are told this often at most: people do not read faster. */
const TICK_MS = 1_000;
/** Gateways close a connection on which nothing comes for a minute. */
const BEAT_MS = 15_000;
/** A new listener also hears what changed in so many ticks before: the page of items that it has may be a second or two old. */
const RECENT_TICKS = 5;
/** How soon a listener connects again after the worker has left. */
const HELLO = 'retry: 1000\n\n';
const BEAT = ':\n\n';

/** One part of a stream, and the one after it; undefined ends the stream. */
interface Part {
  readonly text: string;
  readonly next: Promise<Part | undefined>;
}

export interface TickerDeps {
  readonly redis: Redis;
  /** The facts of a live sale; undefined when there is no such one any more. */
  readonly factsOf: (saleId: string) => LiveSale | undefined;
  /** How many units of a live sale are held for payments. */
  readonly heldOf: (saleId: string) => Promise<number>;
  /** The worker is about to leave: streams end. */
  readonly isLeaving: () => boolean;
}

/** Tells what happens in sales to any number of listeners: what a second's news cost does not grow with them. */
export interface Ticker {
  /** The parts of a stream of server-sent events. Ends with the sale, and when the worker leaves. */
  follow(sale: LiveSale): AsyncIterable<string>;
  /** Something changed about these items. Costs nothing while nobody listens to the sale. */
  heard(saleId: string, itemIds: readonly string[]): void;
}

type Channel = ReturnType<typeof openChannel>;

export function createTicker(deps: TickerDeps): Ticker {
  const channels = new Map<string, Channel>();
  return {
    async *follow(sale) {
      const channel = channels.get(sale.id) ?? openChannel(deps, sale, () => channels.delete(sale.id));
      channels.set(sale.id, channel);
      channel.listeners++;
      try {
        yield HELLO;
        let part = await channel.first();
        while (part !== undefined) {
          yield part.text;
          part = await part.next;
        }
      } finally {
        channel.listeners--;
      }
    },
    heard: (saleId, itemIds) => channels.get(saleId)?.changes.add(itemIds),
  };
}

/** The news of one sale, told once a second while somebody listens. */
function openChannel(
  { redis, factsOf, heldOf, isLeaving }: TickerDeps,
  sale: LiveSale,
  onClosed: () => void,
) {
  const changes = createChanges(redis, sale);
  let facts = sale;
  let tell: (part: Part | undefined) => void = () => {};
  let last: Promise<Part | undefined> = new Promise((resolve) => {
    tell = resolve;
  });
  let lastText = '';
  let lastToldMs = performance.now();
  /** The news without its items, and the items of the last ticks, newest first: what a new listener is told. */
  let now: Omit<News, 'items'> | undefined;
  let recent: News['items'][] = [];
  /** Made for the first new listener of a tick; a crowd comes at once. */
  let greeting: string | undefined;

  const put = (text: string) => {
    const told = tell;
    const next = new Promise<Part | undefined>((resolve) => {
      tell = resolve;
    });
    last = next;
    lastToldMs = performance.now();
    told({ text, next });
  };

  /** The news since the last look, as a message; undefined when there are none. */
  const look = async (): Promise<string | undefined> => {
    const known = factsOf(sale.id);
    facts = known ?? facts;
    const counts = await changes.take();
    const held = await heldOf(sale.id);
    const nowMs = Date.now();
    // A sale that is not live any more is over, or was cancelled before it began.
    const state =
      known === undefined && nowMs < facts.startsAtMs
        ? 'cancelled'
        : stateOf(facts, known ? nowMs : Infinity);
    const { sold, items } = counts ?? { sold: facts.total - (now?.items_left ?? facts.total), items: {} };
    const items_held = Math.min(held, sold);
    now = { items_sold: sold - items_held, items_held, items_left: facts.total - sold, state };
    const text = messageOf({ ...now, items });
    recent = [items, ...recent].slice(0, RECENT_TICKS);
    greeting = undefined;
    const isNews = text !== lastText || Object.keys(items).length > 0;
    lastText = text;
    return isNews ? text : undefined;
  };

  const channel = {
    listeners: 0,
    changes,
    /** The counts as they are, and what comes after; waits for the first look. */
    async first(): Promise<Part | undefined> {
      if (now === undefined) return last;
      greeting ??= messageOf({ ...now, items: Object.assign({}, ...recent.toReversed()) });
      return { text: greeting, next: last };
    },
  };
  const run = async () => {
    do {
      // Redis is away: the next look tells more.
      const news = await look().catch(() => undefined);
      if (news !== undefined) put(news);
      else if (performance.now() - lastToldMs > BEAT_MS) put(BEAT);
      if (now?.state === 'ended' || now?.state === 'cancelled') break;
      await pause(TICK_MS);
    } while (channel.listeners > 0 && !isLeaving());
    onClosed();
    tell(undefined);
  };
  void run();
  return channel;
}

const messageOf = (news: News): string => `data: ${JSON.stringify(news)}\n\n`;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
