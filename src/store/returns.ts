/** How units come back: Postgres first, which notes the return, then Redis, which sells them again. */
import type { InEpoch } from './commit.ts';
import { doubtSale } from './decide.ts';
import { fenceOf } from './fence.ts';
import { keysOf } from './keys.ts';
import { type Postgres, statement } from './postgres.ts';
import { type Redis, script } from './redis.ts';
import { FENCED } from './statuses.ts';

/** Returns of one script call: a few thousand units at most, some ms of Redis. */
const PART = 500;

const sql = {
  giveBack: statement('give_back'),
  after: statement('returns_after'),
  last: statement('live_returns'),
};
const shelve = script('shelve');

/** A payment failed, ran out of time; a purchase was cancelled. */
export type ReturnKind = 'released' | 'expired' | 'cancelled';

/** Units of one code that came back together, once and for ever. */
export interface Return {
  /** From 1 without a gap, in the order in which they were committed. */
  readonly number: number;
  readonly code: string;
  readonly kind: ReturnKind;
  /** Whether the units can be bought again. */
  readonly restocked: boolean;
  readonly returnedMs: number;
  /** "item@0-2,5", or "item" for unit 0 alone: a decision's bought lines without their sign. */
  readonly lines: readonly string[];
  /** As the operator put it. */
  readonly reason?: string;
}

/** What is to come back. */
export interface GiveBack {
  readonly saleId: string;
  readonly kind: ReturnKind;
  /** Whether the units can be bought again; otherwise nobody can have them. */
  readonly restock: boolean;
  readonly reason?: string;
  /** Without lines, all that a code holds. Units that it does not hold, or not any more, are left out. */
  readonly codes: readonly { readonly code: string; readonly lines?: readonly string[] }[];
}

export interface GivenBack {
  /** The sale's epoch, for `shelveReturns`. */
  readonly epoch: number;
  /** Nothing of a retired sale is in Redis. */
  readonly retired: boolean;
  /** What came back now, one for each code of which something did, in the order of their numbers. */
  readonly returns: readonly {
    readonly number: number;
    readonly code: string;
    readonly lines: readonly string[];
  }[];
  /** Codes without a committed decision. */
  readonly unknown: readonly string[];
}

interface GivenRow {
  readonly epoch: number;
  readonly retired: boolean;
  readonly given: readonly { readonly number: number; readonly code: string; readonly lines: string }[];
  readonly unknown: readonly string[];
}

/**
 * Takes units back from codes of one sale, in one transaction. Redis does not know of it yet: see `shelveReturns`. Idempotent: units
 * that came back before are not among the returns. Undefined, and nothing has happened, while a rebuild is under way (or when there
 * is no such sale): the same again later will do it. `postgres` may be a transaction (`within`). Throws as `Postgres.query` does.
 */
export async function giveBack(
  postgres: Pick<Postgres, 'query'>,
  request: GiveBack,
): Promise<GivenBack | undefined> {
  const { saleId, kind, restock, reason, codes } = request;
  const [row] = await postgres.query<GivenRow & Record<string, unknown>>(sql.giveBack, [
    saleId,
    codes.map(({ code }) => code),
    codes.map(({ lines }) => lines?.join(' ') ?? null),
    ...[kind, restock, reason ?? null],
  ]);
  if (row === undefined) return undefined;
  const returns = row.given.map((each) => ({ ...each, lines: each.lines.split(' ') }));
  return { epoch: row.epoch, retired: row.retired, returns, unknown: row.unknown };
}

/** The text of a return in Redis; lua/shelve.lua reads what stands before the tab. */
export const formatReturn = ({ code, kind, restocked, returnedMs, lines, reason = '' }: Return): string =>
  `${code} ${kind} ${Number(restocked)} ${returnedMs} ${lines.join(' ')}\t${reason}`;

/** Reads what `formatReturn` has written. */
export function parseReturn(number: string, text: string): Return {
  const tab = text.indexOf('\t');
  const [code = '', kind, restocked, returnedMs, ...lines] = text.slice(0, tab).split(' ');
  const reason = text.slice(tab + 1);
  return {
    ...{ number: Number(number), code, kind: kind as ReturnKind, restocked: restocked === '1' },
    ...{ returnedMs: Number(returnedMs), lines, ...(reason !== '' && { reason }) },
  };
}

/** A return as Postgres has it. */
export interface ReturnRow extends Omit<Return, 'returnedMs' | 'lines' | 'reason'>, Record<string, unknown> {
  readonly returned_ms: number;
  readonly lines: string;
  readonly reason: string | null;
}

/** A sale's returns behind a number, in their order, in parts. Throws as `Postgres.query` does. */
export async function* eachReturn(postgres: Postgres, saleId: string, after = 0): AsyncGenerator<Return[]> {
  for (let from = after; ; ) {
    const rows = await postgres.query<ReturnRow>(sql.after, [saleId, from, PART]);
    if (rows.length > 0) yield rows.map(returnOf);
    if (rows.length < PART) return;
    from = rows.at(-1)?.number as number;
  }
}

export const returnOf = ({
  returned_ms,
  lines,
  reason,
  number,
  code,
  kind,
  restocked,
}: ReturnRow): Return => ({
  ...{ number, code, kind, restocked },
  returnedMs: returned_ms,
  lines: lines.split(' '),
  ...(reason !== null && { reason }),
});

/**
 * Brings Redis to all returns that Postgres has of a live sale. Whoever has made returns gives the number of the first: Redis must
 * hold the same under it. Returns whether Redis has them all; false behind a shut gate, which a rebuild opens with them: whatever
 * is missing, the leader carries on. Throws as `Redis.run` and `Postgres.query` do.
 */
export async function shelveReturns(
  redis: Redis,
  postgres: Postgres,
  sale: InEpoch,
  first = Number.POSITIVE_INFINITY,
): Promise<boolean> {
  const k = keysOf(sale.id);
  const held = await redis.command('HGET', k.sale, 'returned');
  if (held === null) return false;
  for await (const returns of eachReturn(postgres, sale.id, Math.min(Number(held), first - 1))) {
    const keys = [k.gate, k.sale, k.items, k.bought, k.decisions, k.free, k.returns];
    const args = returns.flatMap((each) => [String(each.number), formatReturn(each)]);
    const reply = await redis.run(shelve, keys, [
      fenceOf(sale.epoch),
      redis.soldChannel(sale.id),
      sale.id,
      ...args,
    ]);
    if (reply === FENCED) return false;
    if (reply === CONTRADICTED) {
      await doubtSale(redis, sale);
      return false;
    }
  }
  return true;
}

/** The number of the last return of each live sale that has any. Throws as `Postgres.query` does. */
export async function readLastReturns(postgres: Postgres): Promise<Map<string, number>> {
  const rows = await postgres.query<{ sale_id: string; last: number }>(sql.last);
  return new Map(rows.map((row) => [row.sale_id, row.last]));
}

/**
 * For the leader: brings Redis to the returns of a live sale, `last` being the number of the last one, where whoever has made them
 * could not. A Postgres that came back without its last returns is not that of the sale in Redis: the gate is shut, and the rebuild
 * saves them. Returns how many were carried. Throws as `shelveReturns` does.
 */
export async function carryReturns(
  redis: Redis,
  postgres: Postgres,
  sale: InEpoch,
  last: number,
): Promise<number> {
  const held = await redis.command('HGET', keysOf(sale.id).sale, 'returned');
  if (held === null || Number(held) === last) return 0;
  if (Number(held) < last) return (await shelveReturns(redis, postgres, sale)) ? last - Number(held) : 0;
  // Those that were made since are no loss.
  const now = (await readLastReturns(postgres)).get(sale.id) ?? 0;
  if (Number(held) > now) await doubtSale(redis, sale);
  return 0;
}

/** Puts on the shelf what was taken back now, if Redis holds the sale still. As `shelveReturns`. */
export async function shelveGiven(
  redis: Redis,
  postgres: Postgres,
  saleId: string,
  { epoch, retired, returns }: GivenBack,
): Promise<boolean> {
  const first = returns[0]?.number;
  return retired || first === undefined || shelveReturns(redis, postgres, { id: saleId, epoch }, first);
}

/** Redis' returns are not those of Postgres: one of the two has come back older. A rebuild mends it. */
const CONTRADICTED = -2;
