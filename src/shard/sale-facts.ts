import { copyOf } from '../copy.ts';
import { type Confirmations, createConfirmations } from './confirmations.ts';
import type { SoldFilter } from './sold-filter.ts';

/** Items that ran out or came back in one step, as Redis tells it. */
export interface Change {
  /** How often an item of the sale has run out or come back, up to and with this change. */
  readonly version: number;
  /** Items of which nothing is left after it. */
  readonly gone: number;
  /** Those that ran out. */
  readonly itemIds: readonly string[];
  /** Those that came back. */
  readonly backIds: readonly string[];
}

/** A snapshot that is being read: it replaces what is known, but for what was heard since it began. */
interface Reading {
  readonly version: number;
  readonly gone: number;
  readonly doubts: number;
  readonly own: Set<string>;
  /** Whether an item has run out (true) or come back (false), by the last change heard. */
  readonly heard: Map<string, boolean>;
}

/** What a worker knows of one sale within one epoch: all of it was true, at the version up to which changes were heard. */
export interface SaleFacts {
  /** Items. */
  total: number;
  readonly epoch: number;
  /** Every item that was ever heard sold. It cannot unlearn, and need not: "maybe" is always asked. */
  readonly filter: SoldFilter;
  /** Sold items of the own arc, exactly. */
  own: Set<string>;
  /** Sold items of other arcs: the latest changes, and what their owners have confirmed. */
  readonly foreign: Confirmations;
  /** The version up to which changes were heard, or read in a snapshot. */
  heard: number;
  /** Items of which nothing is left, at that version. */
  gone: number;
  /** Whoever has not heard as much as this may not know yet that an item is back. */
  backAt: number;
  /** Grows with everything that may have taken an item back: answers to earlier questions are not kept. */
  unlearned: number;
  /** Incremented whenever the own set may lack or hold an item wrongly, and no change will tell. */
  doubts: number;
  /** The value of `doubts` up to which snapshots have answered them. */
  settled: number;
  /** The value of `doubts` up to which an item that is back may have been missed. */
  missed: number;
  /** The version that Redis had at the last look, if it had not been heard by then. */
  behind: number | undefined;
  reading: Reading | undefined;
}

export interface FactsOptions {
  readonly createFilter: (total: number) => SoldFilter;
  readonly confirmationsMax: number;
}

/** The facts of a sale that is only known to exist: in doubt until a snapshot. */
export function createFacts(total: number, epoch: number, options: FactsOptions): SaleFacts {
  return {
    total,
    epoch,
    filter: options.createFilter(total),
    own: new Set(),
    foreign: createConfirmations(options.confirmationsMax),
    ...{ heard: 0, gone: 0, backAt: 0, unlearned: 0 },
    ...{ doubts: 1, settled: 0, missed: 0, behind: undefined, reading: undefined },
  };
}

type Owns = (itemId: string) => boolean;

/** A change may have been missed: items may be back that are held to be sold. */
export function doubt(facts: SaleFacts): void {
  facts.doubts += 1;
  facts.missed = facts.doubts;
}

/** Whether nothing that came back can have been missed, up to the version that was heard. */
export const isTrusted = ({ settled, missed }: SaleFacts): boolean => settled >= missed;

/**
 * Takes in a change. An older one than was heard says nothing new: the channel keeps the order, and a gap is noticed by what comes
 * behind it. The items are views of the message, so kept ones are copied.
 */
export function hearChange(facts: SaleFacts, change: Change, owns: Owns): void {
  const { version, gone, itemIds, backIds } = change;
  const from = version - itemIds.length - backIds.length;
  if (!(version > facts.heard && from >= 0)) return;
  if (from > facts.heard) {
    // What was missed is in the snapshot that is being read, if it began behind it: until that is done, items may be back.
    if (facts.reading && from <= facts.reading.version)
      facts.missed = Math.max(facts.missed, facts.reading.doubts);
    else doubt(facts);
  }
  facts.heard = version;
  facts.gone = gone;
  // What a snapshot began with includes all changes up to its version.
  const reading = facts.reading && version > facts.reading.version ? facts.reading : undefined;
  for (const itemId of itemIds) {
    learnSold(facts, itemId, owns);
    reading?.heard.set(copyOf(itemId), true);
  }
  if (backIds.length === 0) return;
  facts.backAt = version;
  facts.unlearned += 1;
  for (const itemId of backIds) {
    facts.own.delete(itemId);
    facts.foreign.delete(itemId);
    reading?.heard.set(copyOf(itemId), false);
  }
}

function learnSold(facts: SaleFacts, itemId: string, owns: Owns): void {
  facts.filter.add(itemId);
  if (!owns(itemId)) facts.foreign.add(itemId);
  else if (!facts.own.has(itemId)) facts.own.add(copyOf(itemId));
}

/** Begins a snapshot in the place of one that is not done. Until it is done, the sale is in doubt. */
export function beginReading(facts: SaleFacts, version: number, gone: number): Reading {
  if (facts.settled === facts.doubts) facts.doubts += 1;
  facts.reading = { version, gone, doubts: facts.doubts, own: new Set(), heard: new Map() };
  return facts.reading;
}

/** Adds items that the snapshot found sold. It may hold a million, so foreign ones do not enter the confirmations. */
export function readSold(facts: SaleFacts, reading: Reading, itemIds: Iterable<string>, owns: Owns): void {
  for (const itemId of itemIds) {
    facts.filter.add(itemId);
    if (owns(itemId)) reading.own.add(itemId);
  }
}

/** The snapshot is complete: it takes the place of what was known, and answers the doubts that existed when it began. */
export function endReading(facts: SaleFacts, reading: Reading, owns: Owns): void {
  facts.reading = undefined;
  facts.own = reading.own;
  facts.foreign.clear();
  for (const [itemId, isSold] of reading.heard) {
    if (isSold) learnSold(facts, itemId, owns);
    else facts.own.delete(itemId);
  }
  if (reading.version > facts.heard) {
    facts.heard = reading.version;
    facts.gone = reading.gone;
  }
  facts.backAt = Math.max(facts.backAt, reading.version);
  facts.unlearned += 1;
  facts.settled = Math.max(facts.settled, reading.doubts);
}

/**
 * Redis is at this version. Changes up to the one at the last look should have been heard by now: if not, the last message of a series
 * was lost, which leaves no gap that shows.
 */
export function lookAt(facts: SaleFacts, version: number, gone: number): void {
  if (facts.behind !== undefined && facts.heard < facts.behind) {
    doubt(facts);
    facts.gone = gone;
  }
  facts.behind = version > facts.heard ? version : undefined;
}

/** Adapts the facts to a new ring: forgets what is no longer owned, and doubts an arc that has grown. */
export function moveArc(facts: SaleFacts, owns: Owns, hasGrown: boolean): void {
  for (const set of [facts.own, facts.reading?.own ?? []]) {
    for (const itemId of set) if (!owns(itemId)) (set as Set<string>).delete(itemId);
  }
  if (hasGrown) facts.doubts += 1;
}
