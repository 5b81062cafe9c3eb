import type { Decision } from './decision.ts';
import { type Postgres, statement } from './postgres.ts';

const commitPurchases = statement('commit_purchases');

/**
 * Commits decisions of one sale in one transaction; what is committed already stays as it is.
 * Returns false when they were fenced: a rebuild has begun a newer epoch than the one they were read in.
 * Throws as `Postgres.query` does.
 */
export async function commitDecisions(
  postgres: Postgres,
  sale: { readonly id: string; readonly epoch: number },
  decisions: readonly Decision[],
): Promise<boolean> {
  const accepted = await postgres.query(commitPurchases, [
    sale.id,
    sale.epoch,
    decisions.map((d) => d.code),
    decisions.map((d) => d.userId),
    decisions.map((d) => d.decidedMs),
    decisions.map((d) => d.lines.join(' ')),
  ]);
  return accepted.length === 1;
}
