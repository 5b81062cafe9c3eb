import { createHash } from 'node:crypto';
import { SetupError } from '../config.ts';
import { type RedisPlace, readRedisUrl } from '../redis-url.ts';
import { readLua } from './files.ts';
import { SOLD_CHANNEL } from './keys.ts';
import { openCluster } from './redis/cluster.ts';
import { openConnection } from './redis/connection.ts';
import { openSentinel } from './redis/sentinel.ts';
import { type Subscription, subscribeAt } from './redis/subscription.ts';

export interface Script {
  readonly name: string;
  readonly text: string;
  readonly sha: string;
}

/** Reads `lua/<name>.lua`. */
export function script(name: string): Script {
  const text = readLua(name);
  return { name, text, sha: createHash('sha1').update(text).digest('hex') };
}

/** The Redis that decides, with a deadline on every operation and a breaker. */
export interface Redis {
  /** False while Redis is known to be away, or silent: in a Cluster, every master. */
  readonly isUp: boolean;
  /** Addresses of the masters of a Cluster that are known to be away, or silent: their sales cannot be sold. */
  readonly away: readonly string[];
  /** Runs a script. Throws Unavailable (nothing happened) or Unanswered (it may have). */
  run(script: Script, keys: readonly string[], args: readonly string[]): Promise<unknown>;
  /** Sends one command whose first key, if it has keys, is its second word; throws as `run` does. */
  command(...words: string[]): Promise<unknown>;
  /** Sends a command without keys to the server that holds this one. */
  commandAt(key: string, ...words: string[]): Promise<unknown>;
  /** Sends a command without keys to every server that can be reached. */
  commandAll(...words: string[]): Promise<unknown[]>;
  /** The channel that hears which items of a sale are sold out. */
  soldChannel(saleId: string): string;
  /**
   * Subscribes to a channel on a separate connection; calls `onSubscribed` after every (re)subscription. A Cluster subscribes to
   * `soldChannel` of each sale that `saleIds` names, as they come and go, and says which one was (re)subscribed.
   */
  subscribe(
    channel: string,
    onMessage: (message: string) => void,
    onSubscribed: (saleId?: string) => void,
    saleIds?: () => readonly string[],
  ): Promise<void>;
  close(): Promise<void>;
}

export interface RedisOptions {
  /** See `readRedisUrl`. */
  readonly url: string;
  readonly onError: (error: Error) => void;
  /** Called with the time of each script (by its name) and command. */
  readonly onCommand?: ((command: string, ms: number) => void) | undefined;
  /** True: start without Redis, and go on trying. False: a Redis that is away or badly set up is a SetupError. */
  readonly patient: boolean;
}

/** Connects. Unless `patient`, throws a SetupError when the server is away or its settings would break a promise. */
export async function openRedis(options: RedisOptions): Promise<Redis> {
  const place = readRedisUrl(options.url);
  if ('must' in place) throw new SetupError(`The URL of Redis must ${place.must}.`);
  const redis = openAt(options, place);
  const opening = redis.opened.catch((error: Error) => {
    throw error instanceof SetupError
      ? error
      : new SetupError(`Redis cannot be reached (${error.message}); check REDIS_URL.`);
  });
  try {
    await opening;
  } catch (error) {
    if (!options.patient) {
      await redis.close();
      throw error;
    }
    options.onError(error as Error);
  }
  return redis;
}

/** A Redis that goes on trying. `opened` resolves when it was reached for the first time, or rejects when that takes too long. */
export interface OpeningRedis extends Redis {
  readonly opened: Promise<void>;
}

function openAt(options: RedisOptions, place: RedisPlace): OpeningRedis {
  if (place.kind === 'server') return openServer(options, place.url);
  return place.kind === 'sentinel' ? openSentinel(options, place) : openCluster(options, place);
}

function openServer({ onError, onCommand }: RedisOptions, url: string): OpeningRedis {
  const server = openConnection({ place: { url }, onError, onCommand });
  const subscriptions: Subscription[] = [];
  return {
    opened: server.connect(),
    get isUp() {
      return server.isUp;
    },
    away: [],
    run: server.run,
    command: server.command,
    commandAt: (_key, ...words) => server.command(...words),
    commandAll: async (...words) => [await server.command(...words)],
    soldChannel: () => SOLD_CHANNEL,
    async subscribe(channel, onMessage, onSubscribed) {
      const subscription = subscribeAt({ url }, onError, [channel, onMessage, onSubscribed]);
      subscriptions.push(subscription);
      await subscription.opened;
    },
    async close() {
      for (const each of [server, ...subscriptions]) each.close();
    },
  };
}
