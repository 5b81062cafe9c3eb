import { copyOf } from '../copy.ts';
import { type Confirmations, createConfirmations } from './confirmations.ts';
import { createProgress, type Progress } from './progress.ts';
import type { SoldFilter } from './sold-filter.ts';

/** What a worker knows of one sale within one epoch: all of it true, perhaps incomplete. */
export interface SaleFacts {
  readonly total: number;
  readonly epoch: number;
  readonly filter: SoldFilter;
  /** Sold items of the own arc, exactly. */
  readonly own: Set<string>;
  /** Sold items of other arcs: the latest events, and what their owners have confirmed. */
  readonly foreign: Confirmations;
  readonly progress: Progress;
  soldOut: boolean;
  /** Incremented whenever the own set may lack an item that no event will bring. */
  doubts: number;
  /** The value of `doubts` up to which snapshots have filled the gaps. */
  settled: number;
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
    progress: createProgress(),
    soldOut: false,
    doubts: 1,
    settled: 0,
  };
}

/** Adds the items of a sold event. They are views of the message, so kept ones are copied. */
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

/** Adds items of a snapshot. It may hold a million, so foreign ones do not enter the confirmations. */
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

/** The snapshot up to `version` is complete: settles the doubts that existed when it began. */
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
