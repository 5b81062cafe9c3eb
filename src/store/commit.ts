import type { Decision } from './decision.ts';
import { type Postgres, type Statement, statement } from './postgres.ts';
import { isContradiction } from './postgres-errors.ts';

const plain = statement('commit_purchases');
const withUnits = withPart(plain, 'commit_units');
const TELLING = 'tell_purchases';
const COMMIT = { plain, withUnits };
/** The same, which tell the feed in the same transaction. */
const COMMIT_AND_TELL = { plain: withPart(plain, TELLING), withUnits: withPart(withUnits, TELLING) };

/** A statement with another file in the place that it keeps for it: a part that is not needed is not even planned. */
function withPart({ name, text }: Statement, part: string): Statement {
  const place = new RegExp(`^ *-- .*\\b${part}\\.sql comes here\\.$`, 'm');
  if (!place.test(text)) throw new Error(`${name}.sql keeps no place for ${part}.sql`);
  return { name: `${name}+${part}`, text: text.replace(place, () => statement(part).text) };
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
  const lines = decisions.map((d) => d.lines.join(' '));
  const { plain, withUnits } = postgres.tells ? COMMIT_AND_TELL : COMMIT;
  const commit = lines.some((line) => line.includes('@')) ? withUnits : plain;
  const [accepted] = await postgres.query<{ standing: string[] }>(commit, [
    sale.id,
    sale.epoch,
    decisions.map((d) => d.code),
    decisions.map((d) => d.userId),
    decisions.map((d) => d.decidedMs),
    lines,
  ]);
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
