import { commitDecisions } from './commit.ts';
import { FENCED, forgetEntries } from './decide.ts';
import { type Decision, parseDecision } from './decision.ts';
import { fenceOf } from './fence.ts';
import { keysOf } from './keys.ts';
import type { Postgres } from './postgres.ts';
import { isContradiction } from './postgres-errors.ts';
import { type Redis, script } from './redis.ts';

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
 * Reads the oldest entries, of at least `minAgeMs` if that is given. `shown` is the fence, or the token of a rebuild;
 * undefined when the gate does not let it in.
 */
export async function readOutbox(
  redis: Redis,
  saleId: string,
  shown: string,
  minAgeMs?: number,
): Promise<OutboxEntry[] | undefined> {
  const keys = keysOf(saleId);
  const args = [shown, String(minAgeMs ?? ''), String(ENTRIES_MAX)];
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

/** A decision that contradicts a row in Postgres: Redis sold what Postgres knows to be sold. */
export type OnContradiction = (entry: OutboxEntry, decision: Decision, error: Error) => void;

/**
 * Commits what workers have left in the outbox of a sale for longer than `minAgeMs`, oldest first, and forgets it.
 * Does nothing while the gate is shut: a rebuild carries the outbox over itself. Returns the decisions committed.
 * Reports and keeps an entry with a contradiction, and goes on with the others.
 */
export async function sweepOutbox(
  redis: Redis,
  postgres: Postgres,
  sale: { readonly id: string; readonly epoch: number },
  minAgeMs: number,
  onContradiction: OnContradiction,
): Promise<number> {
  const fence = fenceOf(sale.epoch);
  let swept = 0;
  for (;;) {
    const entries = await readOutbox(redis, sale.id, fence, minAgeMs);
    if (entries === undefined || entries.length === 0) return swept;
    const committed = await commitEntries(postgres, sale, entries, onContradiction);
    if (committed === undefined || committed.length === 0) return swept;
    const ids = committed.map((entry) => entry.id);
    await forgetEntries(redis, sale.id, fence, ids);
    for (const entry of committed) swept += entry.decisions.length;
  }
}

/**
 * Commits entries together, or, when one of them contradicts Postgres, decision by decision. Returns the entries
 * without a contradiction; undefined when they were fenced: a rebuild has begun a newer epoch. Throws every other
 * error: it may be temporary.
 */
export async function commitEntries(
  postgres: Postgres,
  sale: { readonly id: string; readonly epoch: number },
  entries: readonly OutboxEntry[],
  onContradiction: OnContradiction,
): Promise<OutboxEntry[] | undefined> {
  const decisions = entries.flatMap((entry) => entry.decisions);
  try {
    return (await commitDecisions(postgres, sale, decisions)) ? [...entries] : undefined;
  } catch (error) {
    if (!isContradiction(error)) throw error;
  }
  const sound = new Set(entries);
  for (const entry of entries) {
    for (const decision of entry.decisions) {
      try {
        if (!(await commitDecisions(postgres, sale, [decision]))) return undefined;
      } catch (error) {
        if (!isContradiction(error)) throw error;
        onContradiction(entry, decision, error);
        sound.delete(entry);
      }
    }
  }
  return [...sound];
}
