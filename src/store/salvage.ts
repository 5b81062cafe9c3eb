import { commitSound, type InEpoch, type OnContradiction } from './commit.ts';
import { parseDecision } from './decision.ts';
import { keysOf } from './keys.ts';
import { type Postgres, statement } from './postgres.ts';
import type { Redis } from './redis.ts';
import { scanHash } from './scan.ts';

const uncommitted = statement('uncommitted_codes');

/**
 * Commits the decisions that Redis holds and Postgres has not: those that Postgres has lost. Which are valid, and why:
 * docs/recovery.md. Returns how many there were; undefined when they were fenced: a rebuild has begun a newer epoch.
 */
export async function salvageDecisions(
  redis: Redis,
  postgres: Postgres,
  sale: InEpoch,
  onContradiction: OnContradiction,
): Promise<number | undefined> {
  let salvaged = 0;
  for await (const part of scanHash(redis, keysOf(sale.id).decisions)) {
    const rows = await postgres.query<{ code: string }>(uncommitted, [[...part.keys()]]);
    const missing = rows.map(({ code }) => parseDecision(sale.id, code, part.get(code) as string));
    const sound = await commitSound(postgres, sale, missing, onContradiction);
    if (sound === undefined) return undefined;
    salvaged += missing.length - sound.contradicted.size;
  }
  return salvaged;
}
