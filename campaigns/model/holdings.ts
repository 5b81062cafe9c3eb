/** Who holds what in the specification: it follows from what was decided and what came back. */
import { itemOf, unitsOf } from '../../src/store/decision.ts';
import type { Decisions } from './model.ts';
import { unitName } from './units.ts';

/** Units that a code gave back together; its number is its place in the list, from 1. */
export interface Given {
  readonly code: string;
  /** By name, as `unitName` has them. */
  readonly units: readonly string[];
  /** Whether they are for sale again. */
  readonly restocked: boolean;
}

export interface Holdings {
  readonly decisions: Decisions;
  readonly returns: readonly Given[];
}

/** The units that lines name, with their sign. */
export const unitsIn = (lines: readonly string[]): string[] =>
  lines.flatMap((line) => unitsOf(line).map((unit) => unitName(itemOf(line), unit)));

/** The units that decisions bought, whatever came back since. */
export const boughtIn = (decisions: Decisions): string[] =>
  [...decisions.values()].flatMap(({ lines }) => unitsIn(lines));

function unitsBut(
  came: (given: Given) => boolean,
  { decisions, returns }: Holdings,
  user?: string,
): string[] {
  return [...decisions].flatMap(([code, decision]) => {
    if (user !== undefined && decision.user !== user) return [];
    const back = new Set(returns.flatMap((each) => (each.code === code && came(each) ? each.units : [])));
    return unitsIn(decision.lines).filter((unit) => !back.has(unit));
  });
}

/** The units that somebody holds, all or one user's. */
export const heldIn = (holdings: Holdings, user?: string): string[] => unitsBut(() => true, holdings, user);

/** The units that are not for sale: those held, and those that came back and nobody gets. */
export const takenIn = (holdings: Holdings): string[] => unitsBut(({ restocked }) => restocked, holdings);

/** The units that one code holds. */
export const heldBy = ({ decisions, returns }: Holdings, code: string): string[] => {
  const decision = decisions.get(code);
  return decision === undefined ? [] : heldIn({ decisions: new Map([[code, decision]]), returns });
};
