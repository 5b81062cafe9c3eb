/**
 * The specification of a sale in plain code: what Redis holds (and may lose), what Postgres holds (and loses only
 * when it comes back older), and what each script and statement has to answer. The laws that must hold at every step are in here
 * too: a step that breaks one throws.
 */

import { type Given, heldIn, takenIn } from './holdings.ts';
import { allUnits, checkedLine, leftOf, lineOf, liveUnits, wordOf } from './units.ts';

export interface Decision {
  readonly user: string;
  /** "+item" bought or "-item" lost, in the order added. */
  readonly lines: readonly string[];
}

/** By code. */
export type Decisions = Map<string, Decision>;

/** What an operator can change of a sale; the version grows with each change. */
export interface Facts {
  readonly startsMs: number;
  readonly endsMs: number;
  readonly limit: number;
  readonly paused: boolean;
  readonly version: number;
}

/** Units of each item, in the order of the items. */
export type Stocks = ReadonlyMap<string, number>;

/** What Redis holds of the sale. A fault may take it away, or bring back what it was. */
export interface Memory {
  /** '' none; "v1:epoch:run_id:master_replid" lets in; with "loading:" before it, nobody. */
  gate: string;
  /** Undefined: Redis does not know the sale. */
  facts: Facts | undefined;
  /** What was loaded when the gate was opened last. */
  stocks: Stocks;
  /** The epoch that the rest was opened for; it says something only with the facts. */
  opened: number;
  /** Whether the items are there; without them nothing is sellable. */
  stocked: boolean;
  /** Items as words: "item", or "item*3". */
  readonly carts: Map<string, { readonly code: string; readonly items: string[] }>;
  readonly decisions: Decisions;
  /** What came back, in the order of the numbers. */
  returns: Given[];
  /** A key is gone, or was made anew by a step after that: the sale is not whole until it is rebuilt. */
  damaged: boolean;
  /** What is not known to be committed, by entry id. */
  readonly outbox: Map<string, { readonly epoch: number; readonly decisions: Decisions }>;
}

/** What Postgres holds of the sale. */
export interface Records {
  epoch: number;
  /** The last epoch whose rebuild went through: what was decided before it and is not committed is void. */
  opened: number;
  facts: Facts;
  stocks: Stocks;
  retired: boolean;
  readonly committed: Decisions;
  readonly returns: Given[];
}

export interface CheckoutOp {
  readonly user: string;
  readonly item: string;
  /** The code for a new cart. */
  readonly code: string;
  /** Sets the quantity of the line; 0 takes it out. */
  readonly quantity?: number | undefined;
}

/** One answer per operation, or one for the whole batch. */
export type CheckoutAnswer = { readonly outcome: string; readonly code: string; readonly lines: number };
export type PurchaseAnswer = { readonly outcome: string; readonly decision?: Decision };

export const emptyMemory = (): Memory => ({
  gate: '',
  facts: undefined,
  stocks: new Map(),
  opened: 0,
  stocked: false,
  carts: new Map(),
  decisions: new Map(),
  returns: [],
  damaged: false,
  outbox: new Map(),
});

/** A law of the specification is broken. */
export class Broken extends Error {
  override name = 'Broken';
}

export function law(holds: boolean, sentence: string): asserts holds {
  if (!holds) throw new Broken(sentence);
}

export const sameDecision = (a: Decision | undefined, b: Decision | undefined): boolean =>
  a?.user === b?.user && a?.lines.join() === b?.lines.join();

/** Why nothing is sold; undefined while the sale is open. */
function closed({ startsMs, endsMs, paused }: Facts): 'not-begun' | 'ended' | 'paused' | undefined {
  if (Date.now() < startsMs) return 'not-begun';
  if (Date.now() >= endsMs) return 'ended';
  return paused ? 'paused' : undefined;
}

/** Whether the gate lets this fence in; without the sale's facts it is as good as shut. */
const letsIn = (memory: Memory, fence: string): memory is Memory & { facts: Facts } =>
  memory.gate === fence && memory.facts !== undefined;

/** What a batch of checkouts has to answer; 'fenced' when nobody is let in. It reserves nothing. */
export function checkOut(
  memory: Memory,
  fence: string,
  ops: readonly CheckoutOp[],
): CheckoutAnswer[] | 'fenced' {
  if (!letsIn(memory, fence)) return 'fenced';
  const { carts, stocked, stocks, facts } = memory;
  const isSoldOut = takenIn(memory).length >= allUnits(stocks).length;
  const isHopeless = isSoldOut && ops.every(({ quantity }) => quantity !== 0);
  const whole = closed(facts) ?? (isHopeless ? 'sold-out' : undefined);
  if (whole !== undefined) return ops.map(() => ({ outcome: whole, code: '', lines: 0 }));
  if (!stocked) return 'fenced';
  return ops.map(({ user, item, code, quantity }) => {
    const cart = carts.get(user) ?? { code, items: [] };
    const lines = cart.items.length;
    const at = cart.items.findIndex((word) => lineOf(word).item === item);
    const wanted = quantity ?? 1;
    if (isSoldOut && wanted > 0) return { outcome: 'sold-out', code: '', lines };
    if (!stocks.has(item)) return { outcome: 'no-item', code: '', lines };
    if (leftOf(stocks, memory, item) < wanted) return { outcome: 'item-sold', code: '', lines };
    if (at >= 0 && quantity === undefined) return { outcome: 'already-in-cart', code: cart.code, lines };
    const held = liveUnits(stocks, memory, cart.items, item) + heldIn(memory, user).length;
    if (wanted > 0 && held + wanted > facts.limit) return { outcome: 'limit', code: '', lines };
    const words = cart.items.filter((_, i) => i !== at || wanted > 0);
    if (wanted > 0) words[at < 0 ? lines : at] = wordOf(item, wanted);
    carts.set(user, { ...cart, items: words });
    return { outcome: 'added', code: cart.code, lines: words.length };
  });
}

/**
 * What a batch of distinct codes has to answer; what is decided now is in the outbox under `entryId`. `chosen` are the lines that
 * Redis has made, by code: which units they name is taken from them, and checked.
 */
export function decide(
  memory: Memory,
  fence: string,
  codes: readonly string[],
  entryId: string,
  chosen: ReadonlyMap<string, readonly string[]>,
): PurchaseAnswer[] | 'fenced' {
  if (!letsIn(memory, fence)) return 'fenced';
  const { carts, decisions, outbox, facts, stocked, stocks } = memory;
  const hasLines = (code: string) =>
    [...carts.values()].some((cart) => cart.code === code && cart.items.length > 0);
  const asksItems =
    closed(facts) === undefined && codes.some((code) => !decisions.has(code) && hasLines(code));
  if (asksItems && !stocked) return 'fenced';
  const fresh: Decisions = new Map();
  const answers = codes.map((code): PurchaseAnswer => {
    const before = decisions.get(code);
    if (before) return { outcome: 'decided-before', decision: before };
    const [user, cart] = [...carts].find(([, each]) => each.code === code) ?? [];
    if (user === undefined || cart === undefined) return { outcome: 'no-code' };
    const refusal = closed(facts);
    if (refusal !== undefined) return { outcome: refusal };
    if (cart.items.length === 0) return { outcome: 'no-code' };
    let room = facts.limit - heldIn(memory, user).length;
    if (room <= 0) return { outcome: 'limit' };
    const held = takenIn(memory);
    const lines = cart.items.map((word, i) => {
      const { item, quantity } = lineOf(word);
      if (leftOf(stocks, memory, item) < quantity || quantity > room) return `-${word}`;
      room -= quantity;
      return checkedLine(stocks, held, word, chosen.get(code)?.[i]);
    });
    const decision = { user, lines };
    carts.delete(user);
    decisions.set(code, decision);
    fresh.set(code, decision);
    return { outcome: 'decided', decision };
  });
  law((entryId !== '') === fresh.size > 0, 'what is decided, and nothing else, is in the outbox');
  if (fresh.size > 0) outbox.set(entryId, { epoch: Number(fence.split(':')[1]), decisions: fresh });
  return answers;
}

/**
 * Whether a sale's keys may go: its gate is open, it is over by facts that nobody has changed since, nothing waits, and Postgres has as
 * many decisions. 1, 0, or -1 when fenced.
 */
export function retire(
  memory: Memory,
  fence: string,
  overMs: number,
  decided: number,
  version: number,
): 1 | 0 | -1 {
  if (memory.gate !== fence) return -1;
  if (Date.now() < overMs || (memory.facts?.version ?? 0) > version) return 0;
  if (memory.outbox.size > 0 || memory.decisions.size !== decided) return 0;
  Object.assign(memory, emptyMemory());
  return 1;
}

/** Whether a sale of so many units can be sold: 1; -1 when its gate is shut; -2 when something is missing. */
export function isWhole(memory: Memory, fence: string, total: number): 1 | -1 | -2 {
  const { gate, facts, stocked, damaged, stocks } = memory;
  if (gate !== fence) return -1;
  const isAll = stocked && !damaged && allUnits(stocks).length === total;
  return facts !== undefined && isAll ? 1 : -2;
}
