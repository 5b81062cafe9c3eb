import { type Confirmations, createConfirmations } from './confirmations.ts';
import { copyOf } from './copy.ts';
import { createProgress, type Progress } from './progress.ts';
import type { SoldFilter } from './sold-filter.ts';

/** What a worker knows of one sale within one epoch. All of it is true; none of it need be whole. */
export interface SaleFacts {
  readonly total: number;
  readonly epoch: number;
  readonly filter: SoldFilter;
  /** Sold items of the own arc, exactly. */
  readonly own: Set<string>;
  /** Sold items of other arcs: what was heard last and what their owners have confirmed. */
  readonly foreign: Confirmations;
  readonly progress: Progress;
  soldOut: boolean;
  /** Counted up whenever the own set may have come to lack something that no event will bring. */
  doubts: number;
  /** The doubts that a snapshot has settled. */
  settled: number;
}

export interface FactsOptions {
  readonly createFilter: (total: number) => SoldFilter;
  readonly confirmationsMax: number;
}

/** The facts of a sale of which nothing is known yet but that it exists: in doubt until a snapshot. */
export function createFacts(total: number, epoch: number, options: FactsOptions): SaleFacts {
  return {
    total,
    epoch,
    filter: options.createFilter(total),
    own: new Set(),
    foreign: createConfirmations(options.confirmationsMax),
    progress: createProgress(),
    soldOut: false,
    doubts: 1,
    settled: 0,
  };
}

/** Takes in items that a sold event names. They came cut from a message, so what is kept is copied. */
export function learnFromEvent(
  facts: SaleFacts,
  itemIds: readonly string[],
  owns: (itemId: string) => boolean,
): void {
  for (const itemId of itemIds) {
    facts.filter.add(itemId);
    if (!owns(itemId)) facts.foreign.add(itemId);
    else if (!facts.own.has(itemId)) facts.own.add(copyOf(itemId));
  }
}

/** Takes in items of a snapshot. It may name a million, so foreign ones do not wash out the confirmations. */
export function learnFromSnapshot(
  facts: SaleFacts,
  itemIds: Iterable<string>,
  owns: (itemId: string) => boolean,
): void {
  for (const itemId of itemIds) {
    facts.filter.add(itemId);
    if (owns(itemId)) facts.own.add(itemId);
  }
}

/** Everything that was sold at `version` has been taken in: settles the doubts that there were when it was begun. */
export function endSnapshot(facts: SaleFacts, doubts: number, version: number): void {
  facts.settled = Math.max(facts.settled, doubts);
  facts.progress.reached(version);
  if (version >= facts.total) facts.soldOut = true;
}

/** Adapts the facts to a new ring: forgets what is no longer owned, and doubts an arc that has grown. */
export function moveArc(facts: SaleFacts, owns: (itemId: string) => boolean, hasGrown: boolean): void {
  for (const itemId of facts.own) {
    if (!owns(itemId)) facts.own.delete(itemId);
  }
  if (hasGrown) facts.doubts += 1;
}
