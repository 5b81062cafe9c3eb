import { commitDecisions } from './commit.ts';
import { forgetEntries } from './decide.ts';
import { type Decision, parseDecision } from './decision.ts';
import { epochOfGate, fenceOf } from './fence.ts';
import { keysOf } from './keys.ts';
import type { Postgres } from './postgres.ts';
import { type Redis, script } from './redis.ts';

/** Entries of one read: a few thousand decisions at most, one transaction. */
const ENTRIES_MAX = 20;

const leftover = script('leftover');

export interface OutboxEntry {
  readonly id: string;
  readonly decisions: readonly Decision[];
}

/** Reads the oldest entries of at least `minAgeMs`, and the gate at the same instant ('' when there is none). */
export async function readOutbox(
  redis: Redis,
  saleId: string,
  minAgeMs: number,
): Promise<{ gate: string; entries: OutboxEntry[] }> {
  const keys = keysOf(saleId);
  const args = [String(minAgeMs), String(ENTRIES_MAX)];
  const [gate, raw] = (await redis.run(leftover, [keys.gate, keys.outbox], args)) as [
    string,
    [string, string[]][],
  ];
  return { gate, entries: raw.map(([id, fields]) => ({ id, decisions: decisionsOf(saleId, fields) })) };
}

function decisionsOf(saleId: string, fields: readonly string[]): Decision[] {
  const decisions: Decision[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    decisions.push(parseDecision(saleId, fields[i] as string, fields[i + 1] as string));
  }
  return decisions;
}

/**
 * Commits what workers have left in the outbox of a sale for longer than `minAgeMs`, oldest first, and forgets it.
 * Nothing is done while the gate is shut: a rebuild carries its outbox over itself. Returns the decisions committed.
 * An entry that Postgres refuses is reported and left; it does not hold up the others.
 */
export async function sweepOutbox(
  redis: Redis,
  postgres: Postgres,
  saleId: string,
  minAgeMs: number,
  onRefused: (entry: OutboxEntry, error: unknown) => void,
): Promise<number> {
  let swept = 0;
  for (;;) {
    const { gate, entries } = await readOutbox(redis, saleId, minAgeMs);
    const epoch = epochOfGate(gate);
    if (epoch === undefined || gate !== fenceOf({ epoch }, redis) || entries.length === 0) return swept;
    const committed = await commitEntries(postgres, { id: saleId, epoch }, entries, onRefused);
    if (committed.length === 0) return swept;
    await forgetEntries(
      redis,
      { id: saleId, epoch },
      committed.map((entry) => entry.id),
    );
    for (const entry of committed) swept += entry.decisions.length;
  }
}

/** Commits entries together, or, when Postgres refuses them together, each by itself. Returns those committed. */
export async function commitEntries(
  postgres: Postgres,
  sale: { readonly id: string; readonly epoch: number },
  entries: readonly OutboxEntry[],
  onRefused: (entry: OutboxEntry, error: unknown) => void,
): Promise<OutboxEntry[]> {
  const decisions = entries.flatMap((entry) => entry.decisions);
  try {
    return (await commitDecisions(postgres, sale, decisions)) ? [...entries] : [];
  } catch (error) {
    if (!postgres.isUp) throw error;
    if (entries.length === 1) {
      onRefused(entries[0] as OutboxEntry, error);
      return [];
    }
    const each: OutboxEntry[] = [];
    for (const entry of entries) each.push(...(await commitEntries(postgres, sale, [entry], onRefused)));
    return each;
  }
}
