/**
 * The three checks of a sale's books: some items, codes or users, seen from both stores.
 *
 * Each reads Redis first, the outbox second and Postgres last. A decision found in Redis is then either still
 * in the outbox or already in Postgres, since an entry leaves the outbox only after its commit. Only what is decided
 * after the first read can look wrong, and only once.
 */

import { formatDecision } from '../decision.ts';
import { keysOf } from '../keys.ts';
import { statement } from '../postgres.ts';
import type { Redis } from '../redis.ts';
import { type Check, findingsOf } from './findings.ts';
import { readFields, type WaitingUnit } from './keys.ts';
import { exceptMoving, readReturned } from './returns.ts';

const sql = {
  items: statement('audit_items'),
  decisions: statement('audit_decisions'),
  users: statement('audit_users'),
};

/** Every unit is on the shelf or bought, each by one code. */
export const checkItems: Check = async (books, ids) => {
  const { saleId, redis, postgres } = books;
  const keys = keysOf(saleId);
  const since = redis && (await readReturned(redis, saleId));
  const before = redis && (await readFields(redis, keys.items, ids));
  const { byItem, byCode } = await books.readWaiting();
  const units = ids.flatMap((id) => (byItem.get(id) ?? []).map((each) => ({ id, ...each })));
  const rows = await postgres.query<ItemRow & Record<string, unknown>>(sql.items, [
    ...[saleId, ids, [...byCode.keys()]],
    ...[units.map(({ id }) => id), units.map(({ unit }) => unit), units.map(({ code }) => code)],
  ]);
  const byId = new Map(rows.map((row) => [row.id, row]));
  const row = (id: string) => byId.get(id) as ItemRow;
  const shelves = redis && (await readShelves(redis, saleId, ids, (id) => (row(id).stock ?? 1) > 1));
  const findings = findingsOf(ids, (id, i) => {
    const [alone, waiting] = [itemAlone(row(id)), byItem.get(id) ?? []];
    if (alone !== undefined || before === undefined) return alone;
    const shelf = shelves?.get(id);
    return (
      soldTwice(row(id), waiting) ??
      (shelf === undefined
        ? uniqueInBoth(row(id), before[i] ?? null, waiting)
        : stockInBoth(row(id), before[i] ?? null, waiting, shelf))
    );
  });
  return exceptMoving(books, findings, since, 'items');
};

interface ItemRow {
  readonly id: string;
  /** Null when the sale does not have the item. */
  readonly stock: number | null;
  /** Units bought by codes that do not wait. */
  readonly held: number;
  readonly lowest: number | null;
  /** One of the codes that hold a unit. */
  readonly code: string | null;
  readonly strange_code: string | null;
  readonly strange_user: string | null;
  /** Codes that hold a unit which a waiting code has been given. */
  readonly clashes: readonly string[];
}

/** What Redis says of an item with a stock, after Postgres was read. */
interface Shelf {
  readonly left: number;
  /** Units for sale that are numbered above one that is held. */
  readonly free: readonly number[];
}

/** The shelves of the items that are asked for. First the free units, then what is left: see `stockInBoth`. */
async function readShelves(
  redis: Redis,
  saleId: string,
  ids: readonly string[],
  isAsked: (id: string) => boolean,
): Promise<Map<string, Shelf>> {
  const keys = keysOf(saleId);
  const shelves = new Map<string, Shelf>();
  for (const id of ids.filter(isAsked)) {
    const members = await redis.command('ZRANGEBYLEX', keys.free, `[${id}@`, `(${id}A`);
    const left = await redis.command('HGET', keys.items, id);
    const free = (members as string[]).map((member) => Number(member.slice(id.length + 1)));
    shelves.set(id, { left: Number(left), free });
  }
  return shelves;
}

function itemAlone(row: ItemRow): string | undefined {
  if (row.stock === null) return 'is not one of the sale, and yet it is in Redis or among its purchases';
  if (row.strange_code !== null)
    return `was bought by ${row.strange_user} with ${row.strange_code}, but the decision of that code does not say so`;
  return undefined;
}

function soldTwice({ clashes }: ItemRow, waiting: readonly WaitingUnit[]): string | undefined {
  const units = new Set(waiting.map(({ unit }) => unit));
  if (clashes.length === 0 && units.size === waiting.length) return undefined;
  const codes = new Set([...waiting.map(({ code }) => code), ...clashes]);
  return `is sold more than once: ${[...codes].join(', ')}`;
}

function uniqueInBoth(
  row: ItemRow,
  left: string | null,
  waiting: readonly WaitingUnit[],
): string | undefined {
  const buyer = row.code ?? waiting[0]?.code;
  if (left === null) return 'is missing from Redis';
  if (left !== '0' && left !== '1') return `has the state "${left}" in Redis`;
  if (left === '1' && buyer !== undefined) return `was bought with ${buyer}, and yet Redis still sells it`;
  if (left === '0' && buyer === undefined)
    return 'is sold in Redis, but no purchase holds it and none waits for it';
  return undefined;
}

/**
 * While it sells, what is bought lies between what Redis lacked before and after Postgres was read. Units below the number left,
 * without the free ones, are for sale, and only these.
 */
function stockInBoth(
  row: ItemRow,
  before: string | null,
  waiting: readonly WaitingUnit[],
  { left, free }: Shelf,
): string | undefined {
  if (before === null) return 'is missing from Redis';
  const stock = row.stock as number;
  const bought = row.held + waiting.length;
  if (bought < stock - Number(before) || bought > stock - left)
    return `has ${left} of ${stock} units left in Redis, but ${row.held} are committed and ${waiting.length} wait`;
  const lowest = Math.min(row.lowest ?? stock, ...waiting.map(({ unit }) => unit));
  if (lowest < left - free.length) return `has unit ${lowest} for sale in Redis, and it is bought`;
  return undefined;
}

/** Every decision is the same in both stores, or waits; what it bought is in the purchases, or came back, and nothing else. */
export const checkDecisions: Check = async (books, codes) => {
  const { saleId, redis, postgres } = books;
  const decided = redis && (await readFields(redis, keysOf(saleId).decisions, codes));
  const { byCode } = await books.readWaiting();
  const rows = await postgres.query<DecisionRow & Record<string, unknown>>(sql.decisions, [saleId, codes]);
  const committed = new Map(rows.map((row) => [row.code, row]));
  return findingsOf(codes, (code, i) => {
    const row = committed.get(code);
    if (row && row.missing.length > 0)
      return `is committed, but purchases and returns do not add up to what it bought: ${row.missing.join(', ')}`;
    if (!decided) return undefined;
    const waits = byCode.get(code);
    const texts = [decided[i] ?? null, row ? textOf(row) : undefined, waits && formatDecision(waits)];
    return decisionInBoth(
      texts[0] as string | null,
      texts[1] as string | undefined,
      texts[2] as string | undefined,
    );
  });
};

interface DecisionRow {
  readonly code: string;
  readonly user_id: string;
  readonly decided_ms: number;
  readonly lines: string;
  readonly missing: readonly string[];
}

const textOf = (row: DecisionRow) =>
  formatDecision({ decidedMs: row.decided_ms, userId: row.user_id, lines: row.lines.split(' ') });

function decisionInBoth(
  decided: string | null,
  committed: string | undefined,
  waiting: string | undefined,
): string | undefined {
  if (decided === null) return committed || waiting ? 'was decided, and Redis does not know it' : undefined;
  if (committed === undefined && waiting === undefined)
    return 'was decided in Redis, but it is not in Postgres and does not wait in the outbox';
  const other = [committed, waiting].find((text) => text !== undefined && text !== decided);
  return other && `has two outcomes: "${decided}" in Redis and "${other}"`;
}

/** Nobody is above the limit, and Redis counts for each user what the purchases and the outbox hold. */
export const checkUsers: Check = async (books, users) => {
  const { saleId, redis, postgres, userLimit } = books;
  const since = redis && (await readReturned(redis, saleId));
  const counted = redis && (await readFields(redis, keysOf(saleId).bought, users));
  const { byUser, byCode } = await books.readWaiting();
  const rows = await postgres.query<{ user_id: string; bought: number }>(sql.users, [
    saleId,
    users,
    [...byCode.keys()],
  ]);
  const committed = new Map(rows.map((row) => [row.user_id, row.bought]));
  const findings = findingsOf(users, (user, i) => {
    const waiting = byUser.get(user) ?? 0;
    const bought = (committed.get(user) ?? 0) + waiting;
    if (bought > userLimit) return `holds ${bought} items, and the limit is ${userLimit}`;
    if (!counted || Number(counted[i] ?? 0) === bought) return undefined;
    return `has bought ${counted[i] ?? 0} items by Redis' count, but ${bought - waiting} are committed and ${waiting} wait`;
  });
  return exceptMoving(books, findings, since, 'users');
};
