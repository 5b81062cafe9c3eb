import { commitSound, type InEpoch, type OnContradiction } from './commit.ts';
import { doubtSale, forgetEntries } from './decide.ts';
import { type Decision, parseDecision } from './decision.ts';
import { fenceOf } from './fence.ts';
import { keysOf } from './keys.ts';
import type { Postgres } from './postgres.ts';
import { type Redis, script } from './redis.ts';
import { FENCED } from './statuses.ts';

/** Entries of one read: a few thousand decisions at most, one transaction. */
const ENTRIES_MAX = 20;

const leftover = script('leftover');

export interface OutboxEntry {
  readonly id: string;
  /** The epoch in which the decisions were made. */
  readonly epoch: number;
  readonly decisions: readonly Decision[];
}

/**
 * Reads the oldest entries: of at least `minAgeMs`, and after the entry `after`, if those are given. `shown` is the fence,
 * or the token of a rebuild; undefined when the gate does not let it in.
 */
export async function readOutbox(
  redis: Redis,
  saleId: string,
  shown: string,
  { minAgeMs, after }: { readonly minAgeMs?: number; readonly after?: string } = {},
): Promise<OutboxEntry[] | undefined> {
  const keys = keysOf(saleId);
  const args = [shown, after ? `(${after}` : '-', String(minAgeMs ?? ''), String(ENTRIES_MAX)];
  const raw = await redis.run(leftover, [keys.gate, keys.outbox], args);
  if (raw === FENCED) return undefined;
  return (raw as [string, string[]][]).map(([id, fields]) => ({
    id,
    epoch: Number(fields[1]),
    decisions: decisionsOf(saleId, fields),
  }));
}

/** The decisions of an entry: its fields come in pairs, and the first is the epoch. */
export function decisionsOf(saleId: string, fields: readonly string[]): Decision[] {
  const decisions: Decision[] = [];
  for (let i = 2; i < fields.length; i += 2) {
    decisions.push(parseDecision(saleId, fields[i] as string, fields[i + 1] as string));
  }
  return decisions;
}

/**
 * Commits what workers have left in the outbox of a sale for longer than `minAgeMs`, oldest first, and forgets it.
 * Nothing is done while the gate is shut: a rebuild carries its outbox over itself. Returns the decisions committed.
 * An entry with a contradiction stays, and does not hold up the others; it proves Redis wrong, so the gate is shut in the end.
 */
export async function sweepOutbox(
  redis: Redis,
  postgres: Postgres,
  sale: InEpoch,
  minAgeMs: number,
  onContradiction: OnContradiction,
): Promise<number> {
  const fence = fenceOf(sale.epoch);
  let [swept, after, doubtful] = [0, '', false];
  for (;;) {
    const entries = await readOutbox(redis, sale.id, fence, { minAgeMs, after });
    const last = entries?.at(-1);
    if (entries === undefined || last === undefined) break;
    after = last.id;
    const committed = await commitEntries(postgres, sale, entries, onContradiction);
    if (committed === undefined) break;
    doubtful ||= committed.length < entries.length;
    const ids = committed.map((entry) => entry.id);
    if (ids.length > 0) await forgetEntries(redis, sale.id, fence, ids);
    for (const entry of committed) swept += entry.decisions.length;
  }
  if (doubtful) await doubtSale(redis, sale);
  return swept;
}

/**
 * Commits entries together, or in parts when one of them contradicts Postgres. Returns the entries without a
 * contradiction; undefined when they were fenced: a rebuild has begun a newer epoch. Throws what is no contradiction: it
 * may pass.
 */
export async function commitEntries(
  postgres: Postgres,
  sale: InEpoch,
  entries: readonly OutboxEntry[],
  onContradiction: OnContradiction,
): Promise<OutboxEntry[] | undefined> {
  const decisions = entries.flatMap((entry) => entry.decisions);
  const sound = await commitSound(postgres, sale, decisions, onContradiction);
  const isSound = ({ code }: Decision) => !sound?.contradicted.has(code);
  return sound && entries.filter((entry) => entry.decisions.every(isSound));
}
