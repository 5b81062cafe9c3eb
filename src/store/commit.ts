import type { Decision } from './decision.ts';
import { type Postgres, statement } from './postgres.ts';
import { isContradiction } from './postgres-errors.ts';

const commitPurchases = statement('commit_purchases');
/** The same, which tells the feed in the same transaction. */
const commitAndTell = {
  name: 'commit_and_tell',
  text: withPart(
    commitPurchases.text,
    '-- With the feed on, tell_purchases.sql comes here.',
    'tell_purchases',
  ),
};

/** A statement with another file in the place of a line. Without the feed that part is not even planned. */
function withPart(text: string, line: string, part: string): string {
  if (!text.includes(line)) throw new Error(`no place for ${part}.sql`);
  return text.replace(line, statement(part).text);
}

/** A sale and the epoch that decisions were read in. */
export interface InEpoch {
  readonly id: string;
  readonly epoch: number;
}

/**
 * Commits decisions of one sale in one transaction; what is committed already stays as it is. Returns the codes that
 * were there before, whatever their decisions say; undefined when all were fenced: a rebuild has begun a newer epoch.
 * Throws as `Postgres.query` does.
 */
export async function commitDecisions(
  postgres: Postgres,
  sale: InEpoch,
  decisions: readonly Decision[],
): Promise<readonly string[] | undefined> {
  const [accepted] = await postgres.query<{ standing: string[] }>(
    postgres.tells ? commitAndTell : commitPurchases,
    [
      sale.id,
      sale.epoch,
      decisions.map((d) => d.code),
      decisions.map((d) => d.userId),
      decisions.map((d) => d.decidedMs),
      decisions.map((d) => d.lines.join(' ')),
      decisions.some((d) => d.lines.some((line) => line.includes('@'))),
    ],
  );
  return accepted?.standing;
}

/** Hears of a decision that contradicts Postgres: Redis sold a unit that is sold already, or that does not exist. */
export type OnContradiction = (decision: Decision, error: Error) => void;

export interface Sound {
  /** Codes that were there before. */
  readonly standing: ReadonlySet<string>;
  /** Codes whose decisions contradict a row, and are not committed. */
  readonly contradicted: ReadonlySet<string>;
}

/**
 * As `commitDecisions`, but a decision that contradicts a row hurts nobody but itself: a batch with one is committed in
 * halves, down to the single decision, in about 2 × log2 of its size statements.
 */
export async function commitSound(
  postgres: Postgres,
  sale: InEpoch,
  decisions: readonly Decision[],
  onContradiction: OnContradiction,
): Promise<Sound | undefined> {
  const standing = new Set<string>();
  const contradicted = new Set<string>();
  const waiting = decisions.length > 0 ? [decisions] : [];
  for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
    try {
      const before = await commitDecisions(postgres, sale, part);
      if (before === undefined) return undefined;
      for (const code of before) standing.add(code);
    } catch (error) {
      if (!isContradiction(error)) throw error;
      const half = part.length >> 1;
      if (half > 0) {
        waiting.push(part.slice(half), part.slice(0, half));
      } else {
        const [decision] = part as [Decision];
        contradicted.add(decision.code);
        onContradiction(decision, error);
      }
    }
  }
  return { standing, contradicted };
}
