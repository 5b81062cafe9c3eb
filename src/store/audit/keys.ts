/** Reads every item, code and user in the books of a sale, in parts, from either store; and the outbox. */
import { type Decision, isBought, itemOf, unitsOf } from '../decision.ts';
import { keysOf } from '../keys.ts';
import { decisionsOf } from '../outbox.ts';
import { type Postgres, type Statement, statement } from '../postgres.ts';
import type { Redis } from '../redis.ts';
import { scanHash } from '../scan.ts';

/** Rows of one query, fields of one HMGET: the latter holds Redis' only thread for less than a millisecond. */
const PART = 1_000;
/** Users of one query: it reads all purchases of the sale, so there should be few such queries. */
const USERS_PART = 50_000;
const OUTBOX_PART = 50;

const sql = {
  itemIds: statement('audit_item_ids'),
  strays: statement('audit_strays'),
  codes: statement('audit_codes'),
  buyers: statement('audit_buyers'),
  cameBack: statement('returns_of'),
};

type Parts = AsyncGenerator<string[]>;

/** The fields of a hash, at least `least` at a time (but for the last part). */
export async function* fieldsOf(redis: Redis, key: string, least = 1): Parts {
  let fields: string[] = [];
  for await (const part of scanHash(redis, key)) {
    fields = fields.concat([...part.keys()]);
    if (fields.length < least) continue;
    yield fields;
    fields = [];
  }
  if (fields.length > 0) yield fields;
}

export const usersInRedis = (redis: Redis, saleId: string): Parts =>
  fieldsOf(redis, keysOf(saleId).bought, USERS_PART);

/** The items of a sale, so many, and after them purchases of items that it does not have. */
export async function* itemsInPostgres(postgres: Postgres, saleId: string, items: number): Parts {
  for (let from = 0; from < items; from += PART) {
    const rows = await postgres.query<{ id: string }>(sql.itemIds, [saleId, from, from + PART]);
    yield rows.map((row) => row.id);
  }
  const strays = await postgres.query<{ id: string }>(sql.strays, [saleId, PART]);
  if (strays.length > 0) yield strays.map((row) => row.id);
}

export const codesInPostgres = (postgres: Postgres, saleId: string): Parts =>
  codesOf(postgres, sql.codes, saleId);

/** The codes of a sale that a statement reads in their order: behind $1, before $2, $3 at most. */
export async function* codesOf(postgres: Postgres, codes: Statement, saleId: string): Parts {
  let after = `CHK-${saleId}-`;
  for (;;) {
    const rows = await postgres.query<{ code: string }>(codes, [after, `CHK-${saleId}.`, PART]);
    if (rows.length === 0) return;
    yield rows.map((row) => row.code);
    after = rows.at(-1)?.code as string;
  }
}

export async function* usersInPostgres(postgres: Postgres, saleId: string): Parts {
  let after = '';
  for (;;) {
    const rows = await postgres.query<{ user_id: string }>(sql.buyers, [saleId, after, USERS_PART]);
    if (rows.length === 0) return;
    yield rows.map((row) => row.user_id);
    after = rows.at(-1)?.user_id as string;
  }
}

/** The values of some fields of a hash, in their order; null where there is none. */
export async function readFields(
  redis: Redis,
  key: string,
  fields: readonly string[],
): Promise<(string | null)[]> {
  const values: (string | null)[] = [];
  for (let from = 0; from < fields.length; from += PART) {
    values.push(
      ...((await redis.command('HMGET', key, ...fields.slice(from, from + PART))) as (string | null)[]),
    );
  }
  return values;
}

/** A unit that a code has bought; a unit with two codes was sold twice. */
export interface WaitingUnit {
  readonly unit: number;
  readonly code: string;
}

/** What is decided and waits in the outbox to be committed. */
export interface Waiting {
  readonly byCode: ReadonlyMap<string, Decision>;
  /** The units that were bought, by item. */
  readonly byItem: ReadonlyMap<string, readonly WaitingUnit[]>;
  readonly byUser: ReadonlyMap<string, number>;
}

export const NOTHING_WAITS: Waiting = { byCode: new Map(), byItem: new Map(), byUser: new Map() };

/** The decisions in a sale's outbox, by code. */
export async function decisionsInOutbox(redis: Redis, saleId: string): Promise<Map<string, Decision>> {
  const byCode = new Map<string, Decision>();
  let after = '-';
  for (;;) {
    const words = ['XRANGE', keysOf(saleId).outbox, after, '+', 'COUNT', String(OUTBOX_PART)];
    const entries = (await redis.command(...words)) as [string, string[]][];
    for (const [, fields] of entries) {
      for (const decision of decisionsOf(saleId, fields)) byCode.set(decision.code, decision);
    }
    if (entries.length < OUTBOX_PART) return byCode;
    after = `(${entries.at(-1)?.[0]}`;
  }
}

/**
 * What waits in a sale's outbox. Not what has come back: it is committed, its entry only lies there until somebody takes it away,
 * and its units may be another's by now.
 */
export async function readWaiting(redis: Redis, postgres: Postgres, saleId: string): Promise<Waiting> {
  const byCode = await decisionsInOutbox(redis, saleId);
  if (byCode.size === 0) return NOTHING_WAITS;
  const cameBack = await postgres.query<{ code: string }>(sql.cameBack, [[...byCode.keys()]]);
  for (const { code } of cameBack) byCode.delete(code);
  const byItem = new Map<string, WaitingUnit[]>();
  const byUser = new Map<string, number>();
  for (const { code, userId, lines } of byCode.values()) {
    for (const line of lines.filter(isBought)) {
      const units = byItem.get(itemOf(line)) ?? [];
      byItem.set(itemOf(line), units);
      const bought = unitsOf(line);
      for (const unit of bought) units.push({ unit, code });
      byUser.set(userId, (byUser.get(userId) ?? 0) + bought.length);
    }
  }
  return { byCode, byItem, byUser };
}
