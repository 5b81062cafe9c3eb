import { decisionsInOutbox } from './audit/keys.ts';
import { commitSound, type InEpoch, type OnContradiction } from './commit.ts';
import { type Decision, parseDecision } from './decision.ts';
import { keysOf } from './keys.ts';
import { type Postgres, statement } from './postgres.ts';
import { type Redis, script } from './redis.ts';
import { FENCED } from './statuses.ts';

/** Decisions of one read: well below a millisecond of Redis, some ms of Postgres. */
const PART = 1_000;

const scan = script('scan_decisions');
const uncommitted = statement('uncommitted_codes');

/**
 * Commits the decisions that Redis holds and Postgres has not, as long as the gate shows `shown` (fence or token). Which
 * are valid, and why: docs/recovery.md. Returns how many of them Redis alone knew, that is without those that wait in the
 * outbox; undefined when they were fenced: another rebuild has begun, or it is another Redis. Throws as `Redis.run` and
 * `Postgres.query` do.
 */
export async function salvageDecisions(
  redis: Redis,
  postgres: Postgres,
  sale: InEpoch,
  shown: string,
  onContradiction: OnContradiction,
): Promise<number | undefined> {
  const { gate, decisions } = keysOf(sale.id);
  let salvaged = 0;
  let cursor = '0';
  do {
    const reply = await redis.run(scan, [gate, decisions], [shown, cursor, String(PART)]);
    if (reply === FENCED) return undefined;
    const [next, fields] = reply as [string, string[]];
    const saved = await savePart(redis, postgres, sale, decisionsIn(sale.id, fields), onContradiction);
    if (saved === undefined) return undefined;
    salvaged += saved;
    cursor = next;
  } while (cursor !== '0');
  return salvaged;
}

function decisionsIn(saleId: string, fields: readonly string[]): Decision[] {
  const decisions: Decision[] = [];
  for (let i = 0; i < fields.length; i += 2)
    decisions.push(parseDecision(saleId, fields[i] as string, fields[i + 1] as string));
  return decisions;
}

/** Redis was read first, then the outbox, then Postgres: what is in neither of these is in Redis alone. */
async function savePart(
  redis: Redis,
  postgres: Postgres,
  sale: InEpoch,
  part: readonly Decision[],
  onContradiction: OnContradiction,
): Promise<number | undefined> {
  const missing = await findMissing(postgres, part);
  if (missing.length === 0) return 0;
  const byCode = await decisionsInOutbox(redis, sale.id);
  const alone = await findMissing(
    postgres,
    missing.filter(({ code }) => !byCode.has(code)),
  );
  // Those that wait are some worker's, who may believe that they are committed, and forget them.
  const sound = await commitSound(postgres, sale, missing, onContradiction);
  return sound && alone.filter(({ code }) => !sound.contradicted.has(code)).length;
}

async function findMissing(postgres: Postgres, decisions: readonly Decision[]): Promise<Decision[]> {
  if (decisions.length === 0) return [];
  const rows = await postgres.query<{ code: string }>(uncommitted, [decisions.map(({ code }) => code)]);
  const missing = new Set(rows.map(({ code }) => code));
  return decisions.filter(({ code }) => missing.has(code));
}
