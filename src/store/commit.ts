import { type Decision, isBought } from './decision.ts';
import { type Postgres, type Statement, statement } from './postgres.ts';
import { isContradiction } from './postgres-errors.ts';

const PLAIN = statement('commit_purchases');
const statements = new Map<string, Statement>();

/** The statement with these parts, made once. */
function commitWith(...parts: readonly string[]): Statement {
  const name = parts.join();
  const made = statements.get(name) ?? parts.reduce(withPart, PLAIN);
  statements.set(name, made);
  return made;
}

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
  /** Present where the sale has a payment window. Only a hint: a wrong one costs a second statement. */
  readonly paymentSeconds?: number;
}

/** What a commit needs: the pool, or one transaction. */
export type Committer = Pick<Postgres, 'query' | 'tells'>;

export interface CommitOptions {
  /** Units that the codes have given back, as Postgres has noted, are not theirs. Only what is saved can be such a decision. */
  readonly withoutReturned?: boolean;
}

/** What a commit has found and done. */
export interface Committed {
  /** Codes that were there before, whatever their decisions say. */
  readonly standing: readonly string[];
  /** Until when the payments of the others are awaited; undefined where the sale has no payment window. */
  readonly dueMs: number | undefined;
}

/**
 * Commits decisions of one sale in one transaction; what is committed already stays as it is. Where the sale has a payment window,
 * each that bought something waits for its payment from now on. Undefined when all were fenced: a rebuild has begun a newer epoch.
 * Throws as `Postgres.query` does.
 */
export async function commitDecisions(
  postgres: Committer,
  sale: InEpoch,
  decisions: readonly Decision[],
  options: CommitOptions = {},
): Promise<Committed | undefined> {
  const hasWindow = sale.paymentSeconds !== undefined;
  // Postgres knows whether the sale has a window, and refuses the wrong statement as it does a wrong epoch.
  return (
    (await commitAs(postgres, sale, decisions, hasWindow, options)) ??
    (await commitAs(postgres, sale, decisions, !hasWindow, options))
  );
}

async function commitAs(
  postgres: Committer,
  sale: InEpoch,
  decisions: readonly Decision[],
  hasWindow: boolean,
  { withoutReturned = false }: CommitOptions,
): Promise<Committed | undefined> {
  const lines = decisions.map((d) => d.lines.join(' '));
  const hasUnits = lines.some((line) => line.includes('@'));
  const parts = [
    ...(hasUnits ? ['commit_units'] : []),
    ...(withoutReturned ? ['commit_kept'] : []),
    ...(withoutReturned && hasUnits ? ['commit_kept_units'] : []),
    ...(hasWindow ? ['commit_payments'] : []),
    ...(postgres.tells ? [hasWindow ? 'tell_pending' : 'tell_purchases'] : []),
  ];
  const [accepted] = await postgres.query<{ standing: string[]; due_ms: number | null }>(
    commitWith(...parts),
    [
      sale.id,
      sale.epoch,
      decisions.map((d) => d.code),
      decisions.map((d) => d.userId),
      decisions.map((d) => d.decidedMs),
      lines,
      hasWindow,
    ],
  );
  return accepted && { standing: accepted.standing, dueMs: accepted.due_ms ?? undefined };
}

/** Hears of a decision that contradicts Postgres: Redis sold a unit that is sold already, or that does not exist. */
export type OnContradiction = (decision: Decision, error: Error) => void;

export interface Sound {
  /** Codes that were there before. */
  readonly standing: ReadonlySet<string>;
  /** Codes whose decisions contradict a row, and are not committed. */
  readonly contradicted: ReadonlySet<string>;
  /** Until when the payments of those are awaited that were committed now and bought something; empty without a payment window. */
  readonly dueMs: ReadonlyMap<string, number>;
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
  const dueMs = new Map<string, number>();
  const waiting = decisions.length > 0 ? [decisions] : [];
  for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
    try {
      const done = await commitDecisions(postgres, sale, part);
      if (done === undefined) return undefined;
      for (const code of done.standing) standing.add(code);
      if (done.dueMs !== undefined) noteDue(dueMs, part, standing, done.dueMs);
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
  return { standing, contradicted, dueMs };
}

function noteDue(
  dueMs: Map<string, number>,
  decisions: readonly Decision[],
  standing: ReadonlySet<string>,
  ms: number,
): void {
  for (const { code, lines } of decisions)
    if (!standing.has(code) && lines.some(isBought)) dueMs.set(code, ms);
}
