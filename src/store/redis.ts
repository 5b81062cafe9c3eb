import { createHash } from 'node:crypto';
import { ClientClosedError, ClientOfflineError, createClient, ErrorReply } from 'redis';
import { SetupError } from '../config.ts';
import { createBreaker } from './breaker.ts';
import { withDeadline } from './deadline.ts';
import { Unanswered, Unavailable } from './errors.ts';
import { readDataset } from './fence.ts';
import { readLua } from './files.ts';
import { requireRedis } from './requirements.ts';

/** No call is slow by design: past this Redis is stuck, and the client should get an answer within a second. */
const ANSWER_MS = 900;
/** A server that does not accept a connection within this time counts as unreachable at start. */
const CONNECT_MS = 3_000;
/** How soon to try a lost or silent Redis again. */
const RETRY_MS = 100;
/**
 * TCP would take a quarter of an hour to notice a connection that a firewall has dropped. So send a PING each second,
 * and replace the connection when nothing was sent or received for three.
 */
const PING_MS = 1_000;
const DEAD_MS = 3_000;
/** Replies by which Redis refuses before it does anything. */
const REFUSED =
  /^(OOM|MISCONF|READONLY|LOADING|BUSY|CLUSTERDOWN|TRYAGAIN|MASTERDOWN|NOREPLICAS|NOAUTH|WRONGPASS)/;

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

/** One connection to Redis with a deadline on every operation and a breaker. */
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
  readonly url: string;
  readonly onError: (error: Error) => void;
  /** Called with the time of each script (by its name) and command. */
  readonly onCommand?: ((command: string, ms: number) => void) | undefined;
  /** True: start without Redis, and go on trying. False: a Redis that is away or badly set up is a SetupError. */
  readonly patient: boolean;
}

function newClient({ url, onError }: RedisOptions) {
  const client = createClient({
    url,
    disableOfflineQueue: true,
    commandOptions: { timeout: 0 },
    maintNotifications: 'disabled',
    pingInterval: PING_MS,
    socket: { connectTimeout: 1_000, reconnectStrategy: RETRY_MS, noDelay: true, socketTimeout: DEAD_MS },
  });
  // Report a lost server once, not with every attempt to reach it.
  let told = false;
  client.on('error', (error: Error) => {
    if (!told) onError(error);
    told = true;
  });
  client.on('ready', () => {
    told = false;
  });
  return client;
}

/** Connects. Unless `patient`, throws a SetupError when the server is away or its settings would break a promise. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: short inner functions share its state.
export async function openRedis(options: RedisOptions): Promise<Redis> {
  const client = newClient(options);
  const subscribers: ReturnType<typeof newClient>[] = [];
  let known = false;

  // Every new connection is asked for the names of its dataset, before anything else may use it: scripts need them.
  const learn = async () => {
    const asking = readDataset((...words) => client.sendCommand(words));
    known = (await withDeadline(asking, ANSWER_MS, 'INFO')) !== undefined;
  };
  const learnAgain = () => {
    learn().catch(() => {
      if (client.isReady && !known) setTimeout(learnAgain, RETRY_MS);
    });
  };
  const forget = () => {
    known = false;
  };
  client.on('reconnecting', forget);
  client.on('end', forget);

  // Silence trips it: a connection that is lost tells by itself.
  const breaker = createBreaker({ probe: () => client.ping(), retryMs: RETRY_MS });

  const send = async (words: readonly string[], name: string): Promise<unknown> => {
    if (!known || !breaker.isUp) throw new Unavailable('Redis is away');
    const beganMs = performance.now();
    try {
      return await withDeadline(client.sendCommand(words as string[]), ANSWER_MS, words[0] ?? '');
    } catch (error) {
      if (error instanceof Unanswered) breaker.trip(error);
      if (error instanceof ErrorReply) {
        if (REFUSED.test(error.message)) throw new Unavailable(error.message);
        throw error;
      }
      if (error instanceof ClientOfflineError || error instanceof ClientClosedError) {
        throw new Unavailable('Redis is away');
      }
      throw error instanceof Unanswered ? error : new Unanswered(`Redis: ${(error as Error).message}`);
    } finally {
      options.onCommand?.(name, performance.now() - beganMs);
    }
  };

  const connect = async () => {
    await withDeadline(client.connect(), CONNECT_MS, 'connecting');
    await learn();
  };
  client.on('ready', learnAgain);
  let lastError: Error | undefined;
  client.on('error', (error: Error) => {
    lastError = error;
  });
  if (options.patient) {
    await connect().catch(options.onError);
  } else {
    try {
      await connect().catch((error: Error) => {
        throw new SetupError(`Redis cannot be reached (${(lastError ?? error).message}); check REDIS_URL.`);
      });
      await requireRedis(client);
    } catch (error) {
      client.destroy();
      throw error;
    }
  }

  return {
    get isUp() {
      return known && breaker.isUp;
    },
    async run(script, keys, args) {
      const words = [String(keys.length), ...keys, ...args];
      try {
        return await send(['EVALSHA', script.sha, ...words], script.name);
      } catch (error) {
        if (!(error instanceof ErrorReply && error.message.startsWith('NOSCRIPT'))) throw error;
        return await send(['EVAL', script.text, ...words], script.name);
      }
    },
    command: (...words) => send(words, (words[0] as string).toLowerCase()),
    async subscribe(channel, onMessage, onSubscribed) {
      const subscriber = newClient(options);
      subscribers.push(subscriber);
      try {
        await subscriber.connect();
        await subscriber.subscribe(channel, onMessage);
      } catch (error) {
        if (subscriber.isOpen) subscriber.destroy();
        throw error;
      }
      // node-redis resubscribes by itself before it reports ready.
      subscriber.on('ready', onSubscribed);
      onSubscribed();
    },
    async close() {
      breaker.close();
      for (const each of [client, ...subscribers]) if (each.isOpen) each.destroy();
    },
  };
}
