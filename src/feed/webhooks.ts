import { type FeedEvent, readEvents } from '../store/feed/read.ts';
import {
  dueMessages,
  type Failure,
  hurryWebhooks,
  type Message,
  moveWebhooks,
  noteArrived,
  noteFailed,
  type Undelivered,
  waitingKeys,
  webhookBacklog,
  webhookPlace,
} from '../store/feed/webhooks.ts';
import type { Postgres } from '../store/postgres.ts';
import type { Delivered, Delivery } from './delivery.ts';
import { viewOfEvent } from './view.ts';

/** Messages under way at a time, each of another key; a leader that is killed has so many sent twice at most. */
export const SIDE_BY_SIDE = 16;
/** Messages that may wait in their table; with more the feed itself is the queue. */
const WAITING_MAX = 10_000;
/** The pause after the first failure of a message; it doubles with each, up to an hour. */
const PAUSE_MS = { from: 1_000, to: 3_600_000 };
/** After so many tries or days a message is dead. With a pause of an hour, the days come first. */
const TRIES_MAX = 100;
const DAYS_MAX = 3;
/** After so many failures in a row the receiver counts as away; the first success brings it back, and all that waits is due. */
const AWAY_AFTER = 5;

export interface WebhooksOptions {
  readonly postgres: Postgres;
  readonly delivery: Delivery;
  readonly onSent: (outcome: 'delivered' | 'failed' | 'dead', event: string, failure?: string) => void;
  /** For tests: the pauses of others. */
  readonly pauseMs?: typeof PAUSE_MS;
}

/** How long to wait after a number of tries in vain: twice as long each time, and by chance between half of it and all. */
export function pauseAfter(tries: number, { from, to }: typeof PAUSE_MS = PAUSE_MS): number {
  return Math.min(from * 2 ** Math.min(tries - 1, 40), to) * (0.5 + Math.random() / 2);
}

/** What must arrive in order: the events of one purchase, or those of one sale. */
const keyOf = ({ purchase, saleId }: FeedEvent): string => purchase?.decision.code ?? saleId;

type Send = (message: Message) => Promise<Delivered>;

/** Sends a message once and tells the outcome; when the receiver is back from being away, all that waits is due. */
function createSend({ postgres, delivery, onSent }: WebhooksOptions): Send {
  let failedInARow = 0;
  return async (message) => {
    const sent = await delivery.send(message);
    const wasAway = failedInARow >= AWAY_AFTER;
    failedInARow = sent.ok ? 0 : failedInARow + 1;
    if (sent.ok) onSent('delivered', message.id);
    else onSent('failed', message.id, sent.failure);
    if (sent.ok && wasAway) await hurryWebhooks(postgres);
    return sent;
  };
}

/** Sends again what is due. Returns whether anything was. */
async function retryDue({ postgres, onSent, pauseMs }: WebhooksOptions, send: Send): Promise<boolean> {
  const due = await dueMessages(postgres, SIDE_BY_SIDE);
  if (due.length === 0) return false;
  const sent = await Promise.all(due.map(send));
  const arrived = due.filter((_, i) => sent[i]?.ok).map(({ id }) => id);
  const failures = due.flatMap(({ id, tries }, i): Failure[] => {
    const result = sent[i] as Delivered;
    if (result.ok) return [];
    return [{ id, failure: result.failure, waitMs: pauseAfter(tries + 1, pauseMs), dead: result.final }];
  });
  if (arrived.length > 0) await noteArrived(postgres, arrived);
  if (failures.length > 0)
    for (const id of await noteFailed(postgres, failures, TRIES_MAX, DAYS_MAX)) onSent('dead', id);
  return true;
}

/** Sends new events of one key, one after the other. Returns what did not arrive, and what waits behind it. */
async function sendInOrder(
  send: Send,
  key: string,
  events: readonly FeedEvent[],
  isBlocked: boolean,
  pauseMs: typeof PAUSE_MS | undefined,
): Promise<Undelivered[]> {
  const left: Undelivered[] = [];
  let mustWait = isBlocked;
  for (const event of events) {
    const message = { id: event.id, key, body: bodyOf(event) };
    const rest = { ...message, place: event.place, atMs: event.atMs };
    if (mustWait) {
      left.push({ ...rest, failure: '', waitMs: 0, dead: false });
      continue;
    }
    const sent = await send(message);
    if (sent.ok) continue;
    // A dead one holds up nobody.
    mustWait = !sent.final;
    left.push({ ...rest, failure: sent.failure, waitMs: pauseAfter(1, pauseMs), dead: sent.final });
  }
  return left;
}

/**
 * Sends the feed to the shop: first what waits for another try, then what is new. A place in the feed is noted only when all before
 * it has arrived or waits, so that nothing is left out, whatever dies. `mayGoOn` is asked before each batch. Returns whether there was anything to send. Throws as
 * `Postgres.query` does.
 */
export function createWebhooks(options: WebhooksOptions): (mayGoOn: () => boolean) => Promise<boolean> {
  const { postgres, onSent, pauseMs } = options;
  const send = createSend(options);

  const goOn = async (): Promise<boolean> => {
    const place = await webhookPlace(postgres);
    const { events } = await readEvents(postgres, place, SIDE_BY_SIDE);
    const last = events.at(-1);
    if (last === undefined) return false;
    const groups = new Map<string, FeedEvent[]>();
    for (const event of events) groups.set(keyOf(event), [...(groups.get(keyOf(event)) ?? []), event]);
    const blocked = await waitingKeys(postgres, [...groups.keys()]);
    const sending = [...groups].map(([key, group]) =>
      sendInOrder(send, key, group, blocked.has(key), pauseMs),
    );
    const left = (await Promise.all(sending)).flat();
    // False when another leader was here: then what it noted counts, and this was sent twice.
    if (await moveWebhooks(postgres, place, last.place, left))
      for (const { id } of left.filter(({ dead }) => dead)) onSent('dead', id);
    return true;
  };

  return async (mayGoOn) => {
    const isBusy = mayGoOn() && (await retryDue(options, send));
    if (!mayGoOn() || (await webhookBacklog(postgres)).waiting >= WAITING_MAX) return isBusy;
    return (await goOn()) || isBusy;
  };
}

/** As Standard Webhooks have it: type, timestamp, data; the id is in the headers as well. */
const bodyOf = (event: FeedEvent): string => JSON.stringify(viewOfEvent(event));
