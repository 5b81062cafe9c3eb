import { newClient, type ServerPlace } from './connection.ts';

/** Channel, what hears its messages, and what hears of every (re)subscription. */
export type Listener = [channel: string, onMessage: (message: string) => void, onSubscribed: () => void];

export interface Subscription {
  /** Resolves after the first subscription; rejects when the connection broke right before it. */
  readonly opened: Promise<void>;
  close(): void;
}

/** Subscribes on a connection of its own, which reconnects by itself. */
export function subscribeAt(
  place: ServerPlace,
  onError: (error: Error) => void,
  [channel, onMessage, onSubscribed]: Listener,
): Subscription {
  const subscriber = newClient(place, onError);
  const close = () => void (subscriber.isOpen && subscriber.destroy());
  const open = async () => {
    try {
      await subscriber.connect();
      await subscriber.subscribe(channel, onMessage);
    } catch (error) {
      close();
      throw error;
    }
    // node-redis resubscribes by itself before it reports ready.
    subscriber.on('ready', onSubscribed);
    onSubscribed();
  };
  return { opened: open(), close };
}
