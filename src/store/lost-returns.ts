/** Returns that Redis holds and a Postgres that came back older has lost: docs/recovery.md says which are saved, and why. */
import { commitDecisions, type InEpoch, type OnContradiction } from './commit.ts';
import { type Decision, itemOf, lineOf, parseDecision, unitsOf } from './decision.ts';
import { keysOf } from './keys.ts';
import { type Postgres, statement, type Transaction } from './postgres.ts';
import { isContradiction } from './postgres-errors.ts';
import { type Redis, script } from './redis.ts';
import { parseReturn, type Return } from './returns.ts';
import { FENCED } from './statuses.ts';
import { within } from './within.ts';

/** Returns of one read and of one transaction. */
const PART = 500;

const scan = script('scan_decisions');
const sql = {
  of: statement('returns_of'),
  note: statement('note_returns'),
  withdraw: statement('withdraw_returned'),
  uncommitted: statement('uncommitted_codes'),
  settle: statement('settle_payments'),
};

/**
 * The returns of a sale that Redis holds and Postgres has not, in the order of Redis' numbers, as long as the gate shows `shown`;
 * without units that their codes have given back in some other return. Undefined when the gate shows something else. Throws as
 * `Redis.run` and `Postgres.query` do.
 */
export async function findLostReturns(
  redis: Redis,
  postgres: Postgres,
  saleId: string,
  shown: string,
): Promise<Return[] | undefined> {
  const { gate, returns } = keysOf(saleId);
  const held = new Map<string, Return>();
  let cursor = '0';
  do {
    const reply = await redis.run(scan, [gate, returns], [shown, cursor, String(PART)]);
    if (reply === FENCED) return undefined;
    const [next, fields] = reply as [string, string[]];
    for (let i = 0; i < fields.length; i += 2)
      held.set(fields[i] as string, parseReturn(fields[i] as string, fields[i + 1] as string));
    cursor = next;
  } while (cursor !== '0');
  const inOrder = [...held.values()].sort((a, b) => a.number - b.number);
  const lost: Return[] = [];
  for (let from = 0; from < inOrder.length; from += PART) {
    const part = inOrder.slice(from, from + PART);
    const known = await readGiven(postgres, part);
    for (const each of part) {
      const lines = each.lines.flatMap((line) => without(line, known.get(each.code)) ?? []);
      if (lines.length > 0) lost.push({ ...each, lines });
    }
  }
  return lost;
}

/** The units that the codes of these returns have given back, as Postgres knows: "item@unit". */
async function readGiven(postgres: Postgres, returns: readonly Return[]): Promise<Map<string, Set<string>>> {
  const rows = await postgres.query<{ code: string; lines: string }>(sql.of, [
    returns.map(({ code }) => code),
  ]);
  const given = new Map<string, Set<string>>();
  for (const { code, lines } of rows) {
    const units = given.get(code) ?? new Set();
    given.set(code, units);
    for (const line of lines.split(' '))
      for (const unit of unitsOf(`+${line}`)) units.add(`${itemOf(`+${line}`)}@${unit}`);
  }
  return given;
}

/** The line without these units; undefined when none is left. */
function without(line: string, given: ReadonlySet<string> | undefined): string | undefined {
  if (given === undefined) return line;
  const item = itemOf(`+${line}`);
  const units = unitsOf(`+${line}`).filter((unit) => !given.has(`${item}@${unit}`));
  return units.length > 0 ? lineOf(item, units) : undefined;
}

/** What was in Redis alone. */
export interface SavedReturns {
  readonly returns: number;
  /** Decisions of theirs that Postgres had lost too. */
  readonly decisions: number;
}

/**
 * For a rebuild, before it commits anything else: notes the lost returns in Postgres, and commits the decisions of their codes that it
 * has lost too, without the units that came back: others may have bought them since. Undefined when the rebuild was superseded.
 * Throws as `findLostReturns` does.
 */
export async function saveReturns(
  redis: Redis,
  postgres: Postgres,
  sale: InEpoch,
  token: string,
  onContradiction: OnContradiction,
): Promise<SavedReturns | undefined> {
  const lost = await findLostReturns(redis, postgres, sale.id, token);
  if (lost === undefined) return undefined;
  let [decisions, returns] = [0, 0];
  for (let from = 0; from < lost.length; from += PART) {
    const part = lost.slice(from, from + PART);
    const { missing, isVoid } = await findMissing(redis, postgres, sale.id, part);
    const valid = part.filter((each) => !isVoid(each));
    const saved = await savePart(postgres, sale, valid, missing, onContradiction);
    if (saved === undefined) return undefined;
    decisions += saved;
    returns += valid.length;
  }
  return { returns, decisions };
}

/** The decisions of these returns' codes that Postgres does not have. A return whose decision is lost in both stores is void. */
async function findMissing(
  redis: Redis,
  postgres: Postgres,
  saleId: string,
  returns: readonly Return[],
): Promise<{ missing: Decision[]; isVoid: (of: Return) => boolean }> {
  const codes = [...new Set(returns.map(({ code }) => code))];
  const rows = await postgres.query<{ code: string }>(sql.uncommitted, [codes]);
  if (rows.length === 0) return { missing: [], isVoid: () => false };
  const uncommitted = rows.map(({ code }) => code);
  const texts = (await redis.command('HMGET', keysOf(saleId).decisions, ...uncommitted)) as (string | null)[];
  const lost = new Set(uncommitted.filter((_, i) => !texts[i]));
  const missing = uncommitted.flatMap((code, i) => {
    const text = texts[i];
    return text ? [parseDecision(saleId, code, text)] : [];
  });
  return { missing, isVoid: ({ code }) => lost.has(code) };
}

/** One transaction; or one for each return, when one contradicts Postgres. Returns the decisions that were committed. */
async function savePart(
  postgres: Postgres,
  sale: InEpoch,
  part: readonly Return[],
  missing: readonly Decision[],
  onContradiction: OnContradiction,
): Promise<number | undefined> {
  if (part.length === 0) return 0;
  try {
    return await postgres.transaction('returns', (client) =>
      save(client, postgres.tells, sale, part, missing),
    );
  } catch (error) {
    if (!isContradiction(error)) throw error;
    if (part.length === 1) {
      for (const decision of missing) onContradiction(decision, error);
      return 0;
    }
    let saved = 0;
    for (const each of part) {
      const mine = missing.filter(({ code }) => code === each.code);
      const one = await savePart(postgres, sale, [each], mine, onContradiction);
      if (one === undefined) return undefined;
      saved += one;
    }
    return saved;
  }
}

async function save(
  client: Transaction,
  tells: boolean,
  sale: InEpoch,
  returns: readonly Return[],
  missing: readonly Decision[],
): Promise<number | undefined> {
  const { query } = within(client);
  const codes = returns.map(({ code }) => code);
  const noted = await query(sql.note, [
    ...[sale.id, sale.epoch, codes],
    returns.map(({ kind }) => kind),
    returns.map(({ restocked }) => restocked),
    returns.map(({ lines }) => lines.join(' ')),
    returns.map(({ reason }) => reason ?? null),
    returns.map(({ returnedMs }) => returnedMs),
  ]);
  if (noted.length === 0) return undefined;
  let saved = 0;
  if (missing.length > 0) {
    const done = await commitDecisions({ query, tells }, sale, missing, { withoutReturned: true });
    saved = missing.length - (done?.standing.length ?? missing.length);
  }
  await query(sql.withdraw, [sale.id, codes]);
  // A payment that was settled when its units came back is settled so again.
  for (const kind of ['released', 'expired', 'cancelled'] as const) {
    const of = returns.filter((each) => each.kind === kind).map(({ code }) => code);
    if (of.length > 0) await query(sql.settle, [of, kind === 'cancelled' ? 'confirmed' : kind, null]);
  }
  return saved;
}
