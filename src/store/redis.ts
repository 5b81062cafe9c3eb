import { createHash } from 'node:crypto';
import { SetupError } from '../config.ts';
import { readRedisUrl } from '../redis-url.ts';
import { readLua } from './files.ts';
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
  /** False while Redis is known to be away, or silent. */
  readonly isUp: boolean;
  /** Runs a script. Throws Unavailable (nothing happened) or Unanswered (it may have). */
  run(script: Script, keys: readonly string[], args: readonly string[]): Promise<unknown>;
  /** Sends one command; throws as `run` does. */
  command(...words: string[]): Promise<unknown>;
  /** Subscribes to a channel on a separate connection; calls `onSubscribed` after every (re)subscription. */
  subscribe(channel: string, onMessage: (message: string) => void, onSubscribed: () => void): Promise<void>;
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
  const redis = place.kind === 'server' ? openServer(options, place.url) : openSentinel(options, place);
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

function openServer({ onError, onCommand }: RedisOptions, url: string): OpeningRedis {
  const server = openConnection({ place: { url }, onError, onCommand });
  const subscriptions: Subscription[] = [];
  return {
    opened: server.connect(),
    get isUp() {
      return server.isUp;
    },
    run: server.run,
    command: server.command,
    async subscribe(...listener) {
      const subscription = subscribeAt({ url }, onError, listener);
      subscriptions.push(subscription);
      await subscription.opened;
    },
    async close() {
      for (const each of [server, ...subscriptions]) each.close();
    },
  };
}
