/**
 * The three checks of a sale's books: some items, codes or users, seen from both stores.
 *
 * Each reads Redis first, the outbox second and Postgres last. A decision found in Redis is then either still
 * in the outbox or already in Postgres, since an entry leaves the outbox only after its commit. Only what is decided
 * after the first read can look wrong, and only once.
 */

import { formatDecision } from '../decision.ts';
import { keysOf } from '../keys.ts';
import { type Postgres, statement } from '../postgres.ts';
import type { Redis } from '../redis.ts';
import { readFields, type Waiting } from './keys.ts';

const sql = {
  items: statement('audit_items'),
  decisions: statement('audit_decisions'),
  users: statement('audit_users'),
};

/** The books of one sale. */
export interface Books {
  readonly saleId: string;
  readonly userLimit: number;
  readonly postgres: Postgres;
  /** Undefined once the sale's keys are retired: then Postgres is audited alone. */
  readonly redis: Redis | undefined;
  readonly readWaiting: () => Promise<Waiting>;
}

/** What is wrong, by item, code or user: one sentence each. */
export type Findings = Map<string, string>;

export type Check = (books: Books, subjects: readonly string[]) => Promise<Findings>;

/** Left and sold are the sale's items; sold is what was bought, each by one code. */
export const checkItems: Check = async (books, ids) => {
  const { saleId, redis, postgres } = books;
  const stock = redis && (await readFields(redis, keysOf(saleId).items, ids));
  const { byItem } = await books.readWaiting();
  const rows = await postgres.query<ItemRow & Record<string, unknown>>(sql.items, [saleId, ids]);
  const byId = new Map(rows.map((row) => [row.id, row]));
  return findingsOf(ids, (id, i) => {
    const row = byId.get(id) as ItemRow;
    return itemAlone(row) ?? (stock && itemInBoth(row, stock[i] ?? null, byItem.get(id) ?? []));
  });
};

interface ItemRow {
  readonly id: string;
  readonly listed: boolean;
  readonly code: string | null;
  readonly user_id: string | null;
  readonly decided: boolean;
}

function itemAlone(row: ItemRow): string | undefined {
  if (!row.listed) return 'is not one of the sale, and yet it is in Redis or among its purchases';
  if (row.code !== null && !row.decided)
    return `was bought by ${row.user_id} with ${row.code}, but the decision of that code does not say so`;
  return undefined;
}

function itemInBoth(row: ItemRow, stock: string | null, waiting: readonly string[]): string | undefined {
  const buyers = new Set(row.code === null ? waiting : [...waiting, row.code]);
  if (buyers.size > 1) return `is sold more than once: ${[...buyers].join(', ')}`;
  if (stock === null) return 'is missing from Redis';
  if (stock !== '0' && stock !== '1') return `has the state "${stock}" in Redis`;
  if (stock === '1' && buyers.size > 0)
    return `was bought with ${[...buyers][0]}, and yet Redis still sells it`;
  if (stock === '0' && buyers.size === 0)
    return 'is sold in Redis, but no purchase holds it and none waits for it';
  return undefined;
}

/** Every decision is the same in both stores, or waits; what it bought is in the purchases, and nothing else. */
export const checkDecisions: Check = async (books, codes) => {
  const { saleId, redis, postgres } = books;
  const decided = redis && (await readFields(redis, keysOf(saleId).decisions, codes));
  const { byCode } = await books.readWaiting();
  const rows = await postgres.query<DecisionRow & Record<string, unknown>>(sql.decisions, [saleId, codes]);
  const committed = new Map(rows.map((row) => [row.code, row]));
  return findingsOf(codes, (code, i) => {
    const row = committed.get(code);
    if (row && row.missing.length > 0)
      return `is committed, but purchases lacks what it bought: ${row.missing.join(', ')}`;
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
  const counted = redis && (await readFields(redis, keysOf(saleId).bought, users));
  const { byUser, byCode } = await books.readWaiting();
  const rows = await postgres.query<{ user_id: string; bought: number }>(sql.users, [
    saleId,
    users,
    [...byCode.keys()],
  ]);
  const committed = new Map(rows.map((row) => [row.user_id, row.bought]));
  return findingsOf(users, (user, i) => {
    const waiting = byUser.get(user) ?? 0;
    const bought = (committed.get(user) ?? 0) + waiting;
    if (bought > userLimit) return `holds ${bought} items, and the limit is ${userLimit}`;
    if (!counted || Number(counted[i] ?? 0) === bought) return undefined;
    return `has bought ${counted[i] ?? 0} items by Redis' count, but ${bought - waiting} are committed and ${waiting} wait`;
  });
};

function findingsOf(
  subjects: readonly string[],
  judge: (subject: string, index: number) => string | undefined,
): Findings {
  const findings: Findings = new Map();
  subjects.forEach((subject, i) => {
    const finding = judge(subject, i);
    if (finding !== undefined) findings.set(subject, finding);
  });
  return findings;
}
