import { lotOf, placeOf } from '../door/queue/draw.ts';
import { createMac } from '../door/queue/mac.ts';
import { readTicket, type Ticket, writeTicket } from '../door/queue/ticket.ts';
import { createRecent } from '../recent.ts';
import { isOver, type LiveSale, type Queue } from '../sale.ts';
import type { Postgres } from '../store/postgres.ts';
import { createJoins, type JoinResult } from '../store/queue/joins.ts';
import { advanceLine, type QueueState } from '../store/queue/line.ts';
import type { Redis } from '../store/redis.ts';

/** Where a buyer stands. */
export interface Turn {
  /** `unknown`: this worker has not seen the line; `over`: the place was admitted for longer than a pass is good. */
  readonly state: 'unknown' | 'drawing' | 'waiting' | 'admitted' | 'over';
  /** From 1 on; null while the draw was not made. */
  readonly place: number | null;
  /** How many are before; null while the draw was not made. */
  readonly before: number | null;
  /** Seconds until the turn, at the rate of now; null when nobody can tell. */
  readonly waitSeconds: number | null;
}

/** What a buyer hears who joins: his place, or why he has none. */
export type Joined =
  | { readonly ticket: string; readonly turn: Turn }
  | { readonly refused: Exclude<JoinResult, number> };

/** The queue of one sale, as a worker sees it. */
export interface SaleQueue {
  /** Moves the line, and looks where it stands; see `advanceLine`. */
  look(): Promise<void>;
  /** Gives a buyer his place and its ticket, the same one however often he asks; or why there is none. Rejects as `createJoins` says. */
  join(user: string): Joined | Promise<Joined>;
  /** What a ticket says; undefined when this sale has not signed it. */
  read(ticket: string): Ticket | undefined;
  /**
   * The turn of a user by his ticket; undefined when the ticket is missing, forged, of another sale, or somebody else's.
   */
  turnOf(user: string, ticket: string | undefined): Turn | undefined;
  /** A function that tells the turn of a ticket which `read` has returned, now and later. */
  watch(ticket: Ticket): () => Turn;
  /** Looks once, where this worker has not seen the line yet; undefined where it has. Does not reject. */
  firstLook(): Promise<void> | undefined;
  /** Where the queue stands, as it was seen last. */
  readonly state: QueueState | undefined;
}

/** Buyers, per worker and sale, whose places are told again from memory: some 225 bytes each. */
const REMEMBERED_MAX = 16_384;

/** A place that was given. */
interface Given {
  readonly ticket: string;
  readonly number: number;
  readonly fraction: number;
}

export interface SaleQueueDeps {
  readonly redis: Redis;
  readonly postgres: Postgres;
  /** A sale with a queue. */
  readonly sale: () => LiveSale;
  /** Whether checkouts were shed since the last call. */
  readonly takeShed: () => boolean;
}

export function createSaleQueue({ redis, postgres, sale, takeShed }: SaleQueueDeps): SaleQueue {
  const joins = createJoins(redis, postgres, sale);
  const queue = () => sale().queue as Queue;
  const { seed, key } = queue();
  const bySeed = createMac(seed);
  const byKey = createMac(key);
  const given = createRecent<Given>(REMEMBERED_MAX);
  let state: QueueState | undefined;

  const read = (text: string): Ticket | undefined => {
    const ticket = readTicket(byKey, text);
    return ticket?.saleId === sale().id ? ticket : undefined;
  };

  const turnOfPlace = (number: number, fraction: number): Turn => {
    if (state === undefined) return { state: 'unknown', ...NOBODY_KNOWS };
    const { drawn, admitPerSecond } = queue();
    if (drawn === undefined) return { state: 'drawing', ...NOBODY_KNOWS };
    return turnAt(placeOf(number, fraction, drawn), state, admitPerSecond);
  };

  const watch = ({ user, number }: Ticket) => {
    const { fraction } = number === 0 ? lotOf(bySeed, user) : { fraction: 0 };
    return () => turnOfPlace(number, fraction);
  };

  const look = async () => {
    const seen = await advanceLine(redis, sale(), takeShed());
    // A Redis that does not hold the queue is given it back; until then what was seen last is good.
    if (seen === undefined) return;
    const { line = 0, tail = 0 } = state ?? {};
    state = { ...seen, line: Math.max(seen.line, line), tail: Math.max(seen.tail, tail) };
  };

  const join = async (user: string): Promise<Joined> => {
    const { name, fraction } = lotOf(bySeed, user);
    const number = await joins.add({ lot: name, fraction });
    if (typeof number !== 'number') return { refused: number };
    if (state === undefined) await look();
    const ticket = writeTicket(byKey, { saleId: sale().id, user, number });
    given.set(user, { ticket, number, fraction });
    return { ticket, turn: turnOfPlace(number, fraction) };
  };

  /** What a buyer was told here before, unless Redis may tell him something else by now. */
  const recall = (user: string): Joined | undefined => {
    const before = given.get(user);
    if (before === undefined || !takesJoiners(sale(), Date.now())) return undefined;
    const turn = turnOfPlace(before.number, before.fraction);
    return turn.state === 'over' ? undefined : { ticket: before.ticket, turn };
  };

  return {
    get state() {
      return state;
    },
    read,
    look,
    firstLook: () => (state === undefined ? look().catch(() => {}) : undefined),
    join: (user) => recall(user) ?? join(user),
    watch,
    turnOf(user, text) {
      const ticket = text === undefined ? undefined : read(text);
      return ticket?.user === user ? watch(ticket)() : undefined;
    },
  };
}

const takesJoiners = (sale: LiveSale, nowMs: number): boolean =>
  nowMs >= (sale.queue?.opensAtMs ?? 0) && !isOver(sale, nowMs);

const NOBODY_KNOWS = { place: null, before: null, waitSeconds: null };

/** The turn of a place. */
function turnAt(place: number, { line, tail }: QueueState, admitPerSecond: number): Turn {
  const shown = Math.floor(place) + 1;
  if (place < tail) return { state: 'over', place: shown, before: 0, waitSeconds: null };
  if (place < line) return { state: 'admitted', place: shown, before: 0, waitSeconds: 0 };
  // The line stands right before the next place that it reaches.
  const before = Math.ceil(place - line);
  const waitSeconds = admitPerSecond > 0 ? Math.ceil((place - line) / admitPerSecond) : null;
  return { state: 'waiting', place: shown, before, waitSeconds };
}
