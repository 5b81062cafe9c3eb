import {
  ClientClosedError,
  ClientOfflineError,
  createClient,
  ErrorReply,
  type RedisClientOptions,
} from 'redis';
import { SetupError } from '../../config.ts';
import { createBreaker } from '../breaker.ts';
import { withDeadline } from '../deadline.ts';
import { Unanswered, Unavailable } from '../errors.ts';
import type { Redis, RedisOptions, Script } from '../redis.ts';
import { requireRedis } from '../requirements.ts';

/** No call is slow by design: past this Redis is stuck, and the client should get an answer within a second. */
const ANSWER_MS = 900;
/** A server that does not accept a connection within this time counts as unreachable at start. */
export const CONNECT_MS = 3_000;
/** How soon to try a lost or silent Redis again. */
export const RETRY_MS = 100;
/** How soon to look again at a Redis whose settings would break a promise. */
const UNFIT_MS = 1_000;
/**
 * TCP would take a quarter of an hour to notice a connection that a firewall has dropped. So send a PING each second,
 * and replace the connection when nothing was sent or received for three.
 */
const PING_MS = 1_000;
const DEAD_MS = 3_000;
/** Replies by which Redis refuses before it does anything. */
const REFUSED =
  /^(OOM|MISCONF|READONLY|LOADING|BUSY|CLUSTERDOWN|TRYAGAIN|MASTERDOWN|NOREPLICAS|NOAUTH|WRONGPASS)/;

const REPLICA = 'this Redis is a replica';

/** Which server, and as whom. */
export type ServerPlace =
  | { readonly url: string }
  | {
      readonly host: string;
      readonly port: number;
      readonly tls: boolean;
      readonly username?: string;
      readonly password?: string;
    };

/** What every connection to a Redis or a Sentinel is opened with. */
export const SOCKET = { connectTimeout: 1_000, noDelay: true, socketTimeout: DEAD_MS } as const;

function optionsAt(place: ServerPlace): RedisClientOptions {
  const socket = { ...SOCKET, reconnectStrategy: RETRY_MS };
  const common = {
    disableOfflineQueue: true,
    commandOptions: { timeout: 0 },
    maintNotifications: 'disabled',
    pingInterval: PING_MS,
  } as const;
  if ('url' in place) return { ...common, url: place.url, socket };
  const { host, port, tls, ...secrets } = place;
  return { ...common, ...secrets, socket: { ...socket, host, port, ...(tls && { tls }) } };
}

/** A client that reconnects by itself; `onError` hears once of each time that the server is lost. */
export function newClient(place: ServerPlace, onError: (error: Error) => void) {
  const client = createClient(optionsAt(place));
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

/** One connection to one server, with a deadline on every operation and a breaker. It reconnects by itself. */
export interface Connection extends Pick<Redis, 'isUp' | 'command'> {
  /** As `Redis.run`. `asking`: of a slot of a Cluster that is on its way to this server. */
  run(script: Script, keys: readonly string[], args: readonly string[], asking?: boolean): Promise<unknown>;
  /** As `Redis.command`. */
  send(words: readonly string[], asking: boolean): Promise<unknown>;
  /**
   * Resolves when it may be used for the first time. Rejects with a SetupError when the settings of the server would break a
   * promise, and otherwise when it was not reached in time; it goes on trying in either case.
   */
  connect(): Promise<void>;
  close(): void;
}

export interface ConnectionOptions extends Pick<RedisOptions, 'onError' | 'onCommand'> {
  readonly place: ServerPlace;
  /** True: a replica will do, for questions that replicas answer. Otherwise it is not used until it is a master. */
  readonly anyRole?: boolean;
}

export function openConnection({ place, onError, onCommand, anyRole }: ConnectionOptions): Connection {
  const client = newClient(place, onError);
  let known = false;

  // Every new connection shows its settings and the names of its dataset before anything else may use it: another server may
  // have taken the place of the last one, and scripts need the names.
  const learn = async () => {
    await withDeadline(requireFit(client, anyRole), ANSWER_MS, 'INFO');
    known = client.isReady;
  };
  const forget = () => {
    known = false;
  };
  /** The name may lead to another server by now. */
  const connectAnew = () => {
    forget();
    client.sendCommand(['QUIT']).catch(() => {});
  };
  let unfit: string | undefined;
  const learnAgain = () => {
    learn().catch((error: Error) => {
      const isReplica = error.message === REPLICA;
      const isUnfit = isReplica || error instanceof SetupError;
      if (isUnfit && error.message !== unfit) onError(error);
      unfit = isUnfit ? error.message : undefined;
      const again = isReplica ? connectAnew : learnAgain;
      setTimeout(() => client.isReady && !known && again(), isUnfit ? UNFIT_MS : RETRY_MS);
    });
  };
  client.on('reconnecting', forget);
  client.on('end', forget);

  // Silence trips it: a connection that is lost tells by itself.
  const breaker = createBreaker({ probe: () => client.ping(), retryMs: RETRY_MS });

  const send = async (words: readonly string[], name: string, asking = false): Promise<unknown> => {
    if (!known || !breaker.isUp) throw new Unavailable('Redis is away');
    const beganMs = performance.now();
    try {
      // The server takes it as said of the command that follows on this connection.
      if (asking) client.sendCommand(['ASKING']).catch(() => {});
      return await withDeadline(client.sendCommand(words as string[]), ANSWER_MS, words[0] ?? '');
    } catch (error) {
      if (error instanceof Unanswered) breaker.trip(error);
      // A master that became a replica does not hang up.
      if (error instanceof ErrorReply && error.message.startsWith('READONLY')) connectAnew();
      throw asStoreError(error);
    } finally {
      onCommand?.(name, performance.now() - beganMs);
    }
  };

  return {
    get isUp() {
      return known && breaker.isUp;
    },
    async connect() {
      let lastError: Error | undefined;
      const note = (error: Error) => {
        lastError = error;
      };
      client.on('error', note);
      try {
        await withDeadline(client.connect(), CONNECT_MS, 'connecting');
        await learn();
      } catch (error) {
        if (!(error instanceof SetupError)) throw lastError ?? error;
        unfit = error.message;
        throw error;
      } finally {
        client.off('error', note);
        client.on('ready', learnAgain);
        if (client.isReady && !known) learnAgain();
      }
    },
    async run(script, keys, args, asking) {
      const words = [String(keys.length), ...keys, ...args];
      try {
        return await send(['EVALSHA', script.sha, ...words], script.name, asking);
      } catch (error) {
        if (!(error instanceof ErrorReply && error.message.startsWith('NOSCRIPT'))) throw error;
        return await send(['EVAL', script.text, ...words], script.name, asking);
      }
    },
    send: (words, asking) => send(words, nameOf(words), asking),
    command: (...words) => send(words, nameOf(words)),
    close() {
      breaker.close();
      if (client.isOpen) client.destroy();
    },
  };
}

/** Throws a SetupError when the server's settings would break a promise, Unavailable while it is a replica that will not do. */
async function requireFit(client: ReturnType<typeof newClient>, anyRole = false): Promise<void> {
  await requireRedis(client);
  if (!anyRole && !/^role:master/m.test(await client.info('replication'))) throw new Unavailable(REPLICA);
}

const nameOf = (words: readonly string[]): string => (words[0] as string).toLowerCase();

/** What a failed command means to the caller. Throws nothing. */
function asStoreError(error: unknown): unknown {
  if (error instanceof ErrorReply)
    return REFUSED.test(error.message) ? new Unavailable(error.message) : error;
  if (error instanceof ClientOfflineError || error instanceof ClientClosedError)
    return new Unavailable('Redis is away');
  return error instanceof Unanswered ? error : new Unanswered(`Redis: ${(error as Error).message}`);
}
