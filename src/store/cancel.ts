/** Purchases, or lines and units of them, that an operator takes back. */
import { lineOf } from './decision.ts';
import { statement, type Transaction } from './postgres.ts';
import { heldUnits } from './purchase-state.ts';
import type { CommittedDecision } from './receipts.ts';
import { type GivenBack, giveBack } from './returns.ts';
import { within } from './within.ts';

const tell = statement('tell_purchase');

/** What an operator wants to take back. */
export interface Cancellation {
  /** Absent: all that the buyer still has. Without a quantity, all of the item that he still has. */
  readonly items?: readonly { readonly id: string; readonly quantity?: number }[];
  /** Whether the units can be bought again. */
  readonly restock: boolean;
  readonly reason?: string;
}

/** The units that a cancellation takes, as lines of a return; undefined when it names more than the buyer has. */
export function linesToCancel(
  purchase: CommittedDecision,
  { items }: Pick<Cancellation, 'items'>,
): string[] | undefined {
  const held = heldUnits(purchase);
  const lines: string[] = [];
  for (const { id, quantity } of items ??
    [...held.keys()].map((each) => ({ id: each, quantity: undefined }))) {
    const units = held.get(id);
    if (units === undefined || units.length < (quantity ?? 0)) return undefined;
    const taken = units.slice(units.length - (quantity ?? units.length));
    if (taken.length > 0) lines.push(lineOf(id, taken));
  }
  return lines;
}

/**
 * Takes lines of a purchase back, in the caller's transaction, which has locked the purchase. `tells`: the feed hears of it.
 * Undefined, and nothing has happened, when a rebuild is under way. Throws what pg throws.
 */
export async function cancelLines(
  client: Transaction,
  { decision: { code, saleId } }: CommittedDecision,
  lines: readonly string[],
  { restock, reason }: Omit<Cancellation, 'items'>,
  tells: boolean,
): Promise<GivenBack | undefined> {
  const given = await giveBack(within(client), {
    ...{ saleId, restock, kind: 'cancelled', codes: [{ code, lines }] },
    ...(reason !== undefined && { reason }),
  });
  if (tells && given !== undefined && given.returns.length > 0)
    await client.query({ ...tell, values: ['purchase.cancelled', saleId, code] });
  return given;
}
