/** The check of what came back, and which items and users are on the move because of it. */
import { itemOf } from '../decision.ts';
import { keysOf } from '../keys.ts';
import { type Postgres, statement } from '../postgres.ts';
import type { Redis } from '../redis.ts';
import { eachReturn, formatReturn, type ReturnRow, returnOf } from '../returns.ts';
import { type Books, type Check, type Findings, findingsOf } from './findings.ts';
import { readFields } from './keys.ts';

const sql = { returns: statement('audit_returns'), since: statement('returns_since') };

/** Returns that are on their way to Redis at most: more than that is a leader that does not carry them on. */
const MOVING_MAX = 10_000;

interface Row extends ReturnRow {
  /** Items of which the code did not buy what it gives back; null when it was never decided. */
  readonly strange: readonly string[] | null;
}

/** Every return is the same in both stores, and of what its code has bought. Subjects are numbers. */
export const checkReturns: Check = async ({ saleId, redis, postgres }, numbers) => {
  const held = redis && (await readFields(redis, keysOf(saleId).returns, numbers));
  const rows = await postgres.query<Row>(sql.returns, [saleId, numbers.map(Number)]);
  const noted = new Map(rows.map((row) => [String(row.number), row]));
  return findingsOf(numbers, (number, i) => {
    const row = noted.get(number);
    const text = held?.[i] ?? undefined;
    if (row === undefined) return text && `came back in Redis as "${text}", but Postgres has not noted it`;
    if (row.strange === null) return `is of ${row.code}, which was never decided`;
    if (row.strange.length > 0)
      return `gives back what ${row.code} has not bought: ${row.strange.join(', ')}`;
    if (held === undefined) return undefined;
    if (text === undefined) return 'is noted in Postgres, and Redis does not know it';
    const right = formatReturn(returnOf(row));
    return text === right ? undefined : `is "${text}" in Redis and "${right}" in Postgres`;
  });
};

/** The numbers of a sale's returns in Postgres, in parts. */
export async function* returnsInPostgres(postgres: Postgres, saleId: string): AsyncGenerator<string[]> {
  for await (const part of eachReturn(postgres, saleId)) yield part.map(({ number }) => String(number));
}

/** The number of the last return that Redis has. */
export const readReturned = async (redis: Redis, saleId: string): Promise<number> =>
  Number(await redis.command('HGET', keysOf(saleId).sale, 'returned'));

/**
 * Without those that cannot be judged at this look: of items and users that gave something back since Redis had the return number
 * `since`, the two stores were read at different moments. That the return itself arrives is for `checkReturns` to say.
 */
export async function exceptMoving(
  { saleId, postgres }: Books,
  findings: Findings,
  since: number | undefined,
  what: 'items' | 'users',
): Promise<Findings> {
  if (findings.size === 0 || since === undefined) return findings;
  const rows = await postgres.query<{ lines: string; user_id: string }>(sql.since, [
    saleId,
    since,
    MOVING_MAX,
  ]);
  for (const { lines, user_id } of rows) {
    if (what === 'users') findings.delete(user_id);
    else for (const line of lines.split(' ')) findings.delete(itemOf(`+${line}`));
  }
  return findings;
}
