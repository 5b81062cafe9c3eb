import { saleChannelOf } from '../keys.ts';
import { newClient } from './connection.ts';
import type { Masters } from './masters.ts';
import { slotOf } from './slots.ts';

/** How soon a sale that is new, or whose slot has moved, is heard again. */
const AGAIN_MS = 250;

export interface SaleChannelsDeps {
  readonly masters: Masters;
  readonly onError: (error: Error) => void;
  readonly onMessage: (message: string) => void;
  /** Called after every (re)subscription, with the sale that may have been missed. */
  readonly onSubscribed: (saleId?: string) => void;
  readonly saleIds: () => readonly string[];
}

/** A connection that hears the channels of the sales of one master. */
interface Subscriber {
  readonly client: ReturnType<typeof newClient>;
  /** Sales that are heard, and those whose subscription is under way. */
  readonly heard: Set<string>;
  readonly asked: Set<string>;
}

/** Hears the channel of each sale at the master of its slot: sharded, so that no message leaves that server's shard. */
export function createSaleChannels(deps: SaleChannelsDeps): { close(): void } {
  const { masters, onError, onMessage, onSubscribed, saleIds } = deps;
  const subscribers = new Map<string, Subscriber>();

  const open = (address: string): Subscriber => {
    const client = newClient(masters.placeAt(address), onError);
    const subscriber: Subscriber = { client, heard: new Set(), asked: new Set() };
    subscribers.set(address, subscriber);
    const lose = (...saleIds: string[]) => {
      for (const id of saleIds) subscriber.heard.delete(id);
      void masters.lookNow();
    };
    client.on('sharded-channel-moved', (channel: string) => lose(saleOfChannel(channel)));
    client.on('__MOVED', () => lose(...subscriber.heard));
    // node-redis resubscribes by itself before it reports ready.
    client.on('ready', () => {
      for (const id of subscriber.heard) onSubscribed(id);
    });
    client.connect().catch(() => {});
    return subscriber;
  };
  const subscribe = async ({ client, heard, asked }: Subscriber, saleId: string) => {
    asked.add(saleId);
    try {
      await client.sSubscribe(saleChannelOf(saleId), onMessage);
      heard.add(saleId);
      onSubscribed(saleId);
    } catch {
      // The slot is elsewhere, or the connection broke: the next check tries again.
      void masters.lookNow();
    } finally {
      asked.delete(saleId);
    }
  };
  const drop = ({ client, heard }: Subscriber, saleId: string) => {
    heard.delete(saleId);
    if (client.isReady) client.sUnsubscribe(saleChannelOf(saleId), onMessage).catch(() => {});
  };

  const check = () => {
    const wanted = new Map<string, string>();
    for (const id of saleIds()) {
      const address = addressFor(masters, id);
      if (address !== undefined) wanted.set(id, address);
    }
    for (const [id, address] of wanted) {
      const subscriber = subscribers.get(address) ?? open(address);
      const { client, heard, asked } = subscriber;
      if (client.isReady && !heard.has(id) && !asked.has(id)) void subscribe(subscriber, id);
    }
    const used = new Set(wanted.values());
    for (const [address, subscriber] of subscribers) {
      for (const id of subscriber.heard) if (wanted.get(id) !== address) drop(subscriber, id);
      if (used.has(address) || subscriber.heard.size > 0) continue;
      subscribers.delete(address);
      if (subscriber.client.isOpen) subscriber.client.destroy();
    }
  };
  const timer = setInterval(check, AGAIN_MS);
  check();
  return {
    close() {
      clearInterval(timer);
      for (const { client } of subscribers.values()) if (client.isOpen) client.destroy();
    },
  };
}

function addressFor(masters: Masters, saleId: string): string | undefined {
  try {
    return masters.ownerOf(slotOf(saleChannelOf(saleId)))[0];
  } catch {
    return undefined;
  }
}

const saleOfChannel = (channel: string): string => channel.slice(1, channel.indexOf('}'));
