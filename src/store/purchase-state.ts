import { isBought, itemOf, unitsIn, unitsOf } from './decision.ts';
import type { CommittedDecision } from './receipts.ts';

/** What can become of a purchase: it is final at once, or pending first in a sale with a payment window; both can be cancelled. */
export const PURCHASE_STATES = [
  'final',
  'pending',
  'confirmed',
  'released',
  'cancelled',
  'partly_cancelled',
] as const;
export type PurchaseState = (typeof PURCHASE_STATES)[number];

export function stateOfPurchase({ decision, payment, returns = [] }: CommittedDecision): PurchaseState {
  if (payment?.state === 'released') return 'released';
  const back = returns.reduce((sum, { lines }) => sum + unitsIn(lines.map(asBought)), 0);
  if (back > 0) return back === unitsIn(decision.lines) ? 'cancelled' : 'partly_cancelled';
  return payment?.state ?? 'final';
}

/** A line of a return as a decision has it: "+item@0-2,5". */
const asBought = (line: string): string => `+${line}`;

/** The units of each line that came back, by item. */
export function returnedUnits({ returns = [] }: Pick<CommittedDecision, 'returns'>): Map<string, number[]> {
  const units = new Map<string, number[]>();
  for (const line of returns.flatMap(({ lines }) => lines.map(asBought)))
    units.set(itemOf(line), [...(units.get(itemOf(line)) ?? []), ...unitsOf(line)]);
  return units;
}

/** The units of each bought line that the buyer still has, by item, in the order of the lines. */
export function heldUnits(purchase: CommittedDecision): Map<string, number[]> {
  const returned = returnedUnits(purchase);
  return new Map(
    purchase.decision.lines.filter(isBought).map((line) => {
      const gone = new Set(returned.get(itemOf(line)));
      return [itemOf(line), unitsOf(line).filter((unit) => !gone.has(unit))];
    }),
  );
}
