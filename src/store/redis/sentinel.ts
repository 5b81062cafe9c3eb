import { setTimeout as sleep } from 'node:timers/promises';
import { createSentinel, type RedisSentinelOptions } from 'redis';
import type { RedisPlace } from '../../redis-url.ts';
import { withDeadline } from '../deadline.ts';
import { Unavailable } from '../errors.ts';
import { SOLD_CHANNEL } from '../keys.ts';
import type { OpeningRedis, RedisOptions } from '../redis.ts';
import {
  CONNECT_MS,
  type Connection,
  openConnection,
  RETRY_MS,
  type ServerPlace,
  SOCKET,
} from './connection.ts';
import { type Listener, type Subscription, subscribeAt } from './subscription.ts';

type SentinelPlace = Extract<RedisPlace, { kind: 'sentinel' }>;

/** Sentinels tell of a new master at once; this is how soon one is found that nobody told of. */
const LOOK_MS = 1_000;

function optionsAt(place: SentinelPlace): RedisSentinelOptions {
  const { name, hosts, username, password, sentinelUsername, sentinelPassword } = place;
  const socket = { ...SOCKET, ...(place.tls && { tls: true }) };
  return {
    name,
    sentinelRootNodes: [...hosts],
    scanInterval: LOOK_MS,
    nodeClientOptions: { socket, ...secretsOf(username, password) },
    sentinelClientOptions: { socket, ...secretsOf(sentinelUsername, sentinelPassword) },
  };
}

const secretsOf = (username: string | undefined, password: string | undefined) => ({
  ...(username !== undefined && { username }),
  ...(password !== undefined && { password }),
});

/**
 * The master that Sentinels name. node-redis' sentinel client says which one that is; commands go over a connection of our own:
 * that client lets commands wait for a master, and sends them once more when a connection breaks, long after their callers
 * have given up. A master that was replaced and is still reached sells nothing: Postgres refuses its epoch (docs/recovery.md).
 */
export function openSentinel({ onError, onCommand }: RedisOptions, place: SentinelPlace): OpeningRedis {
  let master: Connection | undefined;
  let connecting: Promise<void> | undefined;
  let server: ServerPlace | undefined;
  const followers: ((server: ServerPlace) => void)[] = [];
  const closings: (() => void)[] = [];

  const watch = watchMaster(place, onError, (host, port) => {
    master?.close();
    // Whether the first one was reached is for `opened` to say.
    const onFailure = server === undefined ? () => {} : onError;
    server = { host, port, tls: place.tls, ...secretsOf(place.username, place.password) };
    master = openConnection({ place: server, onError, onCommand });
    connecting = master.connect();
    connecting.catch(onFailure);
    for (const follow of followers) follow(server);
  });

  const open = async () => {
    await withDeadline(watch.found, CONNECT_MS, 'finding the master').catch((error) => {
      throw watch.lastError() ?? error;
    });
    await connecting;
  };
  const current = (): Connection => {
    if (master === undefined) throw new Unavailable('Redis is away');
    return master;
  };
  return {
    opened: open(),
    get isUp() {
      return master?.isUp ?? false;
    },
    away: [],
    run: async (...call) => current().run(...call),
    command: async (...words) => current().command(...words),
    commandAt: async (_key, ...words) => current().command(...words),
    commandAll: async (...words) => [await current().command(...words)],
    soldChannel: () => SOLD_CHANNEL,
    async subscribe(channel, onMessage, onSubscribed) {
      const follower = followWith(onError, [channel, onMessage, onSubscribed]);
      followers.push(follower.follow);
      closings.push(follower.close);
      if (server) follower.follow(server);
    },
    async close() {
      for (const close of closings) close();
      await watch.close();
      master?.close();
    },
  };
}

/** Calls `onMaster` with the first master that the Sentinels name, and with each one that takes its place. */
function watchMaster(
  place: SentinelPlace,
  onError: (error: Error) => void,
  onMaster: (host: string, port: number) => void,
) {
  const sentinel = createSentinel(optionsAt(place));
  let [address, isClosed] = ['', false];
  let lastError: Error | undefined;
  let onFound = () => {};
  const found = new Promise<void>((resolve) => {
    onFound = resolve;
  });

  // Each look tells of every Sentinel that is away: report that once per master.
  const told = new Set<string>();
  sentinel.on('error', (error: unknown) => {
    lastError = error instanceof Error ? error : new Error(String(error));
    if (isClosed || told.has(lastError.message)) return;
    told.add(lastError.message);
    onError(lastError);
  });
  sentinel.on('topology-change', ({ type, node }) => {
    if (type !== 'MASTER_CHANGE' || isClosed || address === `${node.host}:${node.port}`) return;
    address = `${node.host}:${node.port}`;
    told.clear();
    onMaster(node.host, node.port);
    onFound();
  });

  // It gives up after some seconds without a master, and must be told to go on.
  const find = async () => {
    while (!isClosed) {
      try {
        return void (await sentinel.connect());
      } catch {
        await sleep(RETRY_MS);
      }
    }
  };
  void find();
  return {
    /** Resolves when the first master is known. */
    found,
    lastError: () => lastError,
    async close() {
      isClosed = true;
      await sentinel.destroy();
    },
  };
}

/** A subscription that moves from master to master. */
function followWith(onError: (error: Error) => void, listener: Listener) {
  let current: Subscription | undefined;
  const follow = (server: ServerPlace) => {
    current?.close();
    const next = subscribeAt(server, onError, listener);
    current = next;
    next.opened.catch(async () => {
      await sleep(RETRY_MS);
      if (current === next) follow(server);
    });
  };
  return {
    follow,
    close() {
      current?.close();
      current = undefined;
    },
  };
}
