import { setTimeout as sleep } from 'node:timers/promises';
import { SetupError } from '../../config.ts';
import type { RedisHost, RedisHosts } from '../../redis-url.ts';
import { withDeadline } from '../deadline.ts';
import { Unavailable } from '../errors.ts';
import type { RedisOptions } from '../redis.ts';
import { CONNECT_MS, type Connection, openConnection, RETRY_MS, type ServerPlace } from './connection.ts';
import { placeOf, readOwners, SLOTS } from './slots.ts';

/** How soon a change is found that no answer has told of: a promoted replica, a slot that has moved. */
const LOOK_MS = 1_000;
/** A connection that no slot needs any more is closed after this many looks: a slot on its way may be asked for there. */
const UNNEEDED_LOOKS = 10;

/** The masters of a Cluster, each with a connection of its own. */
export interface Masters {
  /** Resolves when one that has slots is reached; rejects when none is in time, or when one is set up badly. */
  readonly opened: Promise<void>;
  /** The address of the master of a slot, and its connection. Throws Unavailable when none is known. */
  ownerOf(slot: number): [address: string, master: Connection];
  /** The connection to an address, new or not. */
  at(address: string): Connection;
  /** Notes where a slot is now. */
  moved(slot: number, address: string): void;
  /** Looks at once who is the master of which slot; several calls at a time are one look. */
  lookNow(): Promise<void>;
  /** What a connection of another kind to that address needs. */
  placeAt(address: string): ServerPlace;
  /** Those that have slots. */
  all(): Connection[];
  /** Addresses of those that have slots and cannot be reached. */
  away(): string[];
  close(): void;
}

interface Server {
  readonly connection: Connection;
  readonly connecting: Promise<void>;
  unneeded: number;
}

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: short inner functions share its state.
export function createMasters({ onError, onCommand }: RedisOptions, place: RedisHosts): Masters {
  const servers = new Map<string, Server>();
  let owners: (string | undefined)[] = new Array(SLOTS).fill(undefined);
  let needed = new Set<string>();
  let lastError: Error | undefined;
  let [isClosed, turn] = [false, 0];

  const { hosts, tls, username, password } = place;
  const secrets = {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
  };
  const placeAt = (address: string): ServerPlace => ({ ...placeOf(address), tls, ...secrets });
  const open = (address: string): Server => {
    const onLost = (error: Error) =>
      onError(error instanceof SetupError ? error : new Error(`Redis at ${address}: ${error.message}`));
    const connection = openConnection({
      place: placeAt(address),
      onError: onLost,
      onCommand,
    });
    const server = { connection, connecting: connection.connect(), unneeded: 0 };
    // A lost server is reported by its connection, bad settings are not.
    server.connecting.catch((error) => error instanceof SetupError && onError(error));
    servers.set(address, server);
    return server;
  };
  const serverAt = (address: string) => servers.get(address) ?? open(address);

  const take = (reply: unknown, from: string) => {
    if (isClosed) return;
    owners = readOwners(reply, placeOf(from).host);
    needed = new Set(owners.filter((address) => address !== undefined));
    for (const address of needed) serverAt(address).unneeded = 0;
    for (const [address, server] of servers) {
      if (needed.has(address) || ++server.unneeded < UNNEEDED_LOOKS) continue;
      servers.delete(address);
      server.connection.close();
    }
  };
  const ask = async (address: string, connection: Connection) =>
    take(await connection.send(['CLUSTER', 'SLOTS'], false), address);
  /** Those of the URL are asked for a first look, and when no master answers; replicas know as well. */
  const askHost = async ({ host, port }: RedisHost) => {
    const connection = openConnection({
      place: { host, port, tls, ...secrets },
      onError: () => {},
      onCommand,
      anyRole: true,
    });
    try {
      await connection.connect();
      await ask(`${host}:${port}`, connection);
    } finally {
      connection.close();
    }
  };
  const inTurn = <T>(all: readonly T[]): T[] => all.map((_, i) => all[(turn + i) % all.length] as T);
  const look = async () => {
    turn++;
    const up = inTurn([...servers].filter(([, { connection }]) => connection.isUp));
    // One that has no slots any more may have an old view, in which it has: it is asked last.
    const rank = ([address]: [string, Server]) => Number(!needed.has(address));
    for (const [address, { connection }] of up.sort((a, b) => rank(a) - rank(b))) {
      try {
        return await ask(address, connection);
      } catch {} // the next one may know
    }
    await Promise.any(hosts.map(askHost)).catch(({ errors }: AggregateError) => {
      lastError = errors[0];
    });
  };
  let looking: Promise<void> | undefined;
  const lookNow = () => {
    looking ??= look().finally(() => {
      looking = undefined;
    });
    return looking;
  };
  const timer = setInterval(lookNow, LOOK_MS);

  const find = async () => {
    while (needed.size === 0 && !isClosed) {
      await lookNow();
      if (needed.size === 0) await sleep(RETRY_MS);
    }
  };
  const openAll = async () => {
    await withDeadline(find(), CONNECT_MS, 'finding the Cluster').catch((error) => {
      throw lastError ?? error;
    });
    const opened = await Promise.allSettled([...servers.values()].map(({ connecting }) => connecting));
    const failed = opened.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
    const unfit = failed.find((error) => error instanceof SetupError);
    if (unfit ?? failed.length === opened.length) throw unfit ?? failed[0];
  };

  return {
    opened: openAll(),
    ownerOf(slot) {
      const address = owners[slot];
      const server = address === undefined ? undefined : servers.get(address);
      if (address === undefined || server === undefined)
        throw new Unavailable('no master of the slot is known');
      return [address, server.connection];
    },
    at: (address) => serverAt(address).connection,
    moved(slot, address) {
      owners[slot] = address;
      needed.add(address);
      void lookNow();
    },
    lookNow,
    placeAt,
    all: () => [...needed].map((address) => serverAt(address).connection),
    away: () => [...needed].filter((address) => !serverAt(address).connection.isUp),
    close() {
      isClosed = true;
      clearInterval(timer);
      for (const { connection } of servers.values()) connection.close();
    },
  };
}
