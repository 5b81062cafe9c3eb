import { type Postgres, statement } from '../postgres.ts';
import { type CommittedDecision, findDecisions } from '../receipts.ts';
import { asOf } from './as-of.ts';

const sql = { read: statement('read_events'), find: statement('find_event') };

/** Rows of one statement; a row holds a commit's purchases, of which there may be hundreds. */
const ROWS_MAX = 100;
/** Hexadecimal digits of one code in a row of purchases. */
const DIGITS = 32;
/** The id of an event names its row, its place among the row's codes, and when it was written. */
export const EVENT_ID = /^(\d{1,18})\.(\d{1,18})\.(\d{1,6})\.(\d{1,18})$/;

/** A place in the feed: everything up to the first `read` codes of a row has been read. Turn and seq are 64-bit numbers. */
export interface FeedPlace {
  readonly turn: string;
  readonly seq: string;
  readonly read: number;
}

/** Before the oldest event that is kept. */
export const FEED_START: FeedPlace = { turn: '0', seq: '0', read: 0 };

export interface FeedEvent {
  /** Names the event, and the place behind it, for good. */
  readonly id: string;
  readonly type: string;
  readonly saleId: string;
  readonly atMs: number;
  /** Of `purchase.…`. */
  readonly purchase?: CommittedDecision;
  /** The place behind it. */
  readonly place: FeedPlace;
}

export interface FeedPage {
  readonly events: readonly FeedEvent[];
  /** Whether there may be more already. */
  readonly isFull: boolean;
}

interface Row {
  readonly turn: string;
  readonly seq: string;
  readonly at_us: string;
  readonly type: string;
  readonly sale_id: string;
  readonly codes: string | null;
}

/**
 * Up to `limit` events behind a place, in the order of the feed. No event can come before one that was read: docs/events.md says
 * why. Throws as `Postgres.query` does.
 */
export async function readEvents(postgres: Postgres, from: FeedPlace, limit: number): Promise<FeedPage> {
  const most = Math.min(limit, ROWS_MAX);
  const rows = await postgres.query<Row>(sql.read, [from.turn, from.seq, from.read, most]);
  const entries = rows.flatMap((row) => entriesOf(row, row.seq === from.seq ? from.read : 0));
  const shown = entries.slice(0, limit);
  const codes = shown.flatMap(({ code }) => code ?? []);
  const found = codes.length === 0 ? [] : await findDecisions(postgres, codes);
  const byCode = new Map(found.map((purchase) => [purchase.decision.code, purchase]));
  const events = shown.map(({ code, ...event }) => {
    const purchase = code === undefined ? undefined : byCode.get(code);
    if (purchase === undefined) return event;
    // A commit follows its decision; what becomes of a purchase later has a time of its own.
    const atMs = isBuying(event.type) ? purchase.decision.decidedMs : event.atMs;
    return { ...event, atMs, purchase: asOf(purchase, event.type, atUsOf(event.id)) };
  });
  return { events, isFull: entries.length > limit || rows.length === most };
}

/** When the row of an event was written, which its id ends with. */
const atUsOf = (id: string): number => Number(id.slice(id.lastIndexOf('.') + 1));

const isBuying = (type: string): boolean => ['purchase.completed', 'purchase.pending'].includes(type);

/** The events of a row, from a place among its codes on. */
function entriesOf({ turn, seq, at_us: atUs, type, sale_id: saleId, codes }: Row, from: number) {
  const event = (n: number, code?: string): FeedEvent & { readonly code?: string } => ({
    id: `${turn}.${seq}.${n}.${atUs}`,
    type,
    saleId,
    atMs: Math.floor(Number(atUs) / 1_000),
    place: { turn, seq, read: n + 1 },
    ...(code !== undefined && { code }),
  });
  if (codes === null) return [event(0)];
  return Array.from({ length: codes.length / DIGITS - from }, (_, i) => {
    const at = (from + i) * DIGITS;
    return event(from + i, `CHK-${saleId}-${codes.slice(at, at + DIGITS)}`);
  });
}

/** The place behind an event of this id, whether it is kept or not. */
export function placeNamed(eventId: string): FeedPlace {
  const [, turn, seq, n] = EVENT_ID.exec(eventId) as unknown as [string, string, string, string];
  return { turn, seq, read: Number(n) + 1 };
}

/** The place behind an event; undefined when it is not kept any more, or Postgres has lost it. */
export async function placeOf(postgres: Postgres, eventId: string): Promise<FeedPlace | undefined> {
  const place = placeNamed(eventId);
  const writtenUs = eventId.slice(eventId.lastIndexOf('.') + 1);
  const found = await postgres.query(sql.find, [place.turn, place.seq, writtenUs]);
  return found.length === 0 ? undefined : place;
}
