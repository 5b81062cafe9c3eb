/**
 * A decision: what became of one checkout code, once and for ever. In Redis it is the text
 * "decided_ms user +bought -lost …"; in Postgres a row of `decisions` and one of `purchases` per bought line.
 */
export interface Decision {
  readonly code: string;
  readonly saleId: string;
  readonly userId: string;
  readonly decidedMs: number;
  /** "+item" bought or "-item" lost, in the order in which the lines were added. */
  readonly lines: readonly string[];
}

/** Reads the text of a decision as `lua/purchase.lua` writes it. */
export function parseDecision(saleId: string, code: string, text: string): Decision {
  const [decidedMs, userId = '', ...lines] = text.split(' ');
  return { code, saleId, userId, decidedMs: Number(decidedMs), lines };
}

/** The text of a decision as `lua/purchase.lua` writes it. */
export function formatDecision(decision: Omit<Decision, 'code' | 'saleId'>): string {
  return [decision.decidedMs, decision.userId, ...decision.lines].join(' ');
}

export const isBought = (line: string): boolean => line.startsWith('+');

/** The answer to a purchase in the contract's form. */
export interface Receipt {
  readonly success: boolean;
  readonly purchased_items: readonly { readonly id: string; readonly name: string; readonly sold: boolean }[];
  readonly total_purchased: number;
  readonly failed_count: number;
}

/** `names` are those of the decision's lines, in their order. */
export function receiptOf(lines: readonly string[], names: readonly (string | null)[]): Receipt {
  const items = lines.map((line, i) => ({
    id: line.slice(1),
    name: names[i] ?? '',
    sold: isBought(line),
  }));
  const bought = items.filter((item) => item.sold).length;
  return {
    success: bought > 0,
    purchased_items: items,
    total_purchased: bought,
    failed_count: items.length - bought,
  };
}
