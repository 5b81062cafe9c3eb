import { checkAnswers, checkRefusals, checkUnknown } from './checker-answers.ts';
import { checkAttempts, checkBooks } from './checker-books.ts';
import { checkPhantoms } from './checker-phantoms.ts';
import type { Dump } from './dumps.ts';
import { type Entry, entriesOf, type HistoryLine, type Line, marksOf } from './history.ts';

/** What a run may violate; each kind is a broken promise (I1 to I8, README.md). */
export type ViolationKind =
  | 'lost'
  | 'sold-twice'
  | 'over-limit'
  | 'over-total'
  | 'not-sold-out'
  | 'two-outcomes'
  | 'invented'
  | 'phantom-sold'
  | 'unresolved'
  | 'forgotten-code'
  | 'books-differ'
  | 'event-missed'
  | 'event-twice'
  | 'settled-twice'
  | 'attempt-not-logged'
  | 'attempt-logged-twice'
  | 'attempt-invented'
  | 'unexpected-answer'
  | 'failed-request'
  | 'slow-refusal'
  | 'orphan'
  /** A buyer's place in a queue became another, is that of two, or is told though it is over. */
  | 'place-moved'
  | 'place-twice'
  | 'place-over'
  /** Answered, and for a while in Redis alone. */
  | 'saved-late'
  | 'service-broken';

export interface Violation {
  readonly kind: ViolationKind;
  readonly detail: string;
}

/** What a run's fault permits. */
export interface Rules {
  /** Redis has lost data: carts and codes may be gone. */
  readonly losesRedis: boolean;
  /** Postgres has lost data: attempts that were in the log may be gone. Of purchases Redis knows. */
  readonly losesLog: boolean;
  /** Nothing may fail: no connection, no request; `refused`: except that nobody listens for a while. */
  readonly noFailures: false | true | 'refused';
  /** How soon after the heal an unknown outcome must be known. */
  readonly resolveMs: number;
}

/** What the clients know of one checkout code. */
export interface Code {
  readonly user: string;
  readonly posts: Entry[];
}

/** Checks a run, offline: the clients' history against what both databases hold at its end. Pure. */
export function check(whole: readonly HistoryLine[], dump: Dump, rules: Rules): Violation[] {
  const at = whole.findIndex((line) => line.type === 'mark' && line.name === 'dump');
  const lines = at < 0 ? whole : whole.slice(0, at);
  const entries = entriesOf(lines);
  const codes = groupByCode(entries);
  return [
    ...checkAcknowledged(codes, dump),
    ...checkCommitted(codes, dump),
    ...checkOutcomes(codes, rules),
    ...checkPhantoms(entries, dump),
    ...checkUnknown(codes, marksOf(lines), rules),
    ...checkAnswers(entries, rules),
    ...checkRefusals(entries, marksOf(lines)),
    ...checkBooks(dump),
    ...checkAttempts(entries, dump).filter(({ kind }) => !rules.losesLog || kind !== 'attempt-not-logged'),
    ...checkLate(at < 0 ? [] : entriesOf(whole.slice(at)), dump),
  ];
}

/** Codes whose clients had walked away, posted once more after the dump: what is committed is their outcome. */
function checkLate(entries: readonly Entry[], dump: Dump): Violation[] {
  const committed = new Map(dump.decisions.map(({ code, lines }) => [code, lines]));
  return entries.flatMap(({ type, does, code, answer, receipt }): Violation[] => {
    const lines = committed.get(code as string);
    if (type === 'invoke' || does !== 'purchase' || lines === undefined) return [];
    if (receipt && show(receipt) === show(linesOf(lines))) return [];
    const detail = `${code}: committed ${lines}, told later: ${answer} ${receipt ? show(receipt) : ''}`;
    return [{ kind: receipt ? 'two-outcomes' : 'unresolved', detail }];
  });
}

function groupByCode(entries: readonly Entry[]): Map<string, Code> {
  const codes = new Map<string, Code>();
  for (const entry of entries) {
    if (entry.does !== 'purchase') continue;
    const id = entry.code as string;
    const code = codes.get(id) ?? { user: entry.user, posts: [] };
    code.posts.push(entry);
    codes.set(id, code);
  }
  return codes;
}

const linesOf = (text: string): Line[] => text.split(' ').map((line) => [line.slice(1), line[0] === '+']);
const show = (receipt: readonly Line[]) =>
  receipt.map(([item, sold]) => `${sold ? '+' : '-'}${item}`).join(' ');

/** Acknowledged ⊆ Postgres; and no item was acknowledged to two codes. */
function checkAcknowledged(codes: ReadonlyMap<string, Code>, dump: Dump): Violation[] {
  const found: Violation[] = [];
  const holders = new Map(dump.purchases.map(({ item, code }) => [item, code]));
  const told = new Map<string, string>();
  for (const [code, { posts }] of codes) {
    const bought = new Set(
      posts.flatMap((post) => post.receipt ?? []).flatMap(([item, sold]) => (sold ? [item] : [])),
    );
    for (const item of bought) {
      const other = told.get(item);
      if (other !== undefined)
        found.push({ kind: 'sold-twice', detail: `${item}: told to ${other} and ${code}` });
      told.set(item, code);
      const holder = holders.get(item);
      if (holder !== code) {
        found.push({
          kind: 'lost',
          detail: `${item}: ${code} was told it is theirs; Postgres says ${holder ?? 'nobody'}`,
        });
      }
    }
  }
  return found;
}

/** Postgres ⊆ acknowledged ∪ unknown; limits and totals. */
function checkCommitted(codes: ReadonlyMap<string, Code>, dump: Dump): Violation[] {
  const found: Violation[] = [];
  for (const { code, user, lines } of dump.decisions) {
    const known = codes.get(code);
    const ends = known?.posts.filter((post) => post.type !== 'invoke') ?? [];
    const told = ends.find((post) => post.receipt)?.receipt;
    if (known === undefined || known.user !== user) {
      found.push({
        kind: 'invented',
        detail: `${code} of ${user} is committed; its poster was ${known?.user ?? 'nobody'}`,
      });
    } else if (told !== undefined && show(told) !== show(linesOf(lines))) {
      found.push({ kind: 'two-outcomes', detail: `${code}: told ${show(told)}, committed ${lines}` });
    } else if (told === undefined && !ends.some((post) => post.type === 'unknown')) {
      const answers = ends.map((post) => post.answer).join(', ');
      found.push({ kind: 'invented', detail: `${code} is committed, but was only told: ${answers}` });
    }
  }
  const catalogue = new Set(dump.items);
  const perUser = new Map<string, number>();
  for (const { item, user } of dump.purchases) {
    perUser.set(user, (perUser.get(user) ?? 0) + 1);
    if (!catalogue.has(item))
      found.push({ kind: 'invented', detail: `${item} is sold and no item of the sale` });
  }
  for (const [user, count] of perUser) {
    if (count > dump.limit)
      found.push({ kind: 'over-limit', detail: `${user} holds ${count}, the limit is ${dump.limit}` });
  }
  const count = dump.purchases.length;
  if (count > dump.total) found.push({ kind: 'over-total', detail: `${count} of ${dump.total} sold` });
  if (count < dump.total)
    found.push({ kind: 'not-sold-out', detail: `${dump.total - count} items could not be sold` });
  return found;
}

const mayHaveDecided = ({ type, receipt, again }: Entry): boolean =>
  type === 'unknown' || (receipt !== undefined && !again);

/** One code, one outcome: all answers agree, one of them at most is the first, and none forgets another. */
function checkOutcomes(codes: ReadonlyMap<string, Code>, rules: Rules): Violation[] {
  const found: Violation[] = [];
  for (const [code, { posts }] of codes) {
    const receipts = new Set(posts.flatMap((post) => (post.receipt ? [show(post.receipt)] : [])));
    if (receipts.size > 1)
      found.push({ kind: 'two-outcomes', detail: `${code}: ${[...receipts].join(' | ')}` });
    const firsts = posts.filter((post) => post.receipt && !post.again);
    if (firsts.length > 1)
      found.push({ kind: 'two-outcomes', detail: `${code}: ${firsts.length} first answers` });
    const missing = posts.filter((post) => post.answer === 'checkout_not_found');
    // An old copy of Redis may bring a cart back, and its code is then valid again: it was bought by a post that ended later.
    const isLater = (post: Entry) => missing.every(({ t }) => t < post.t);
    const decided = receipts.size > 0 && !posts.some((post) => mayHaveDecided(post) && isLater(post));
    if (missing.length > 0 && (decided || !rules.losesRedis)) {
      const detail = `${code}: 404 at ${missing[0]?.t}, ${decided ? 'when it was bought' : 'though no data was lost'}`;
      found.push({ kind: 'forgotten-code', detail });
    }
  }
  return found;
}
