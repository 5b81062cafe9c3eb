/**
 * A decision: what became of one checkout code, once and for ever. In Redis it is the text
 * "decided_ms user +bought -lost …"; in Postgres a row of `decisions` and one of `purchases` per bought line.
 */
export interface Decision {
  readonly code: string;
  readonly saleId: string;
  readonly userId: string;
  readonly decidedMs: number;
  /**
   * In the order in which they were added: "+item" has bought unit 0, "+item@5-7,9" these units of an item with a stock;
   * "-item" is lost, and "-item*3" with the quantity asked for.
   */
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

/** The item of a line. */
export const itemOf = (line: string): string => /^[^@*]+/.exec(line.slice(1))?.[0] ?? '';

/** The numbers of the units that a line has bought. */
export function unitsOf(line: string): number[] {
  if (!isBought(line)) return [];
  const [, units = '0'] = line.split('@');
  return units.split(',').flatMap((part) => {
    const [first = 0, last = first] = part.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

/** A line, without its sign, of these units of an item, in ascending order: "item@5-7,9", or "item" for unit 0 alone. */
export function lineOf(item: string, units: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const unit of units) {
    const run = runs.at(-1);
    if (run?.[1] === unit - 1) run[1] = unit;
    else runs.push([unit, unit]);
  }
  const words = runs.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(',');
  return words === '0' ? item : `${item}@${words}`;
}

/** How many units decisions' lines have bought. */
export const unitsIn = (lines: readonly string[]): number =>
  lines.reduce((sum, line) => sum + unitsOf(line).length, 0);

/** What has become of the payment of a purchase in a sale with a payment window. */
export interface Payment {
  readonly state: 'pending' | 'confirmed' | 'released';
  readonly dueMs: number;
}

/** The answer to a purchase in the contract's form. */
export interface Receipt {
  readonly success: boolean;
  readonly purchased_items: readonly {
    readonly id: string;
    readonly name: string;
    readonly sold: boolean;
    /** Units bought, when more than one was asked for: all of them or none. */
    readonly quantity?: number;
    /** Of one unit, in minor units of the sale's currency; where the item has one. */
    readonly price?: number;
  }[];
  readonly total_purchased: number;
  readonly failed_count: number;
}

/** `names` and `prices` are those of the decision's lines, in their order. */
export function receiptOf(
  lines: readonly string[],
  names: readonly (string | null)[],
  prices?: readonly (number | null)[],
): Receipt {
  const items = lines.map((line, i) => {
    const units = /[@*]/.test(line) ? unitsOf(line).length : 1;
    const item = { id: itemOf(line), name: names[i] ?? '', sold: isBought(line) };
    const price = prices?.[i] ?? undefined;
    if (units === 1 && price === undefined) return item;
    return { ...item, ...(units > 1 && { quantity: units }), ...(price !== undefined && { price }) };
  });
  const bought = items.filter((item) => item.sold).length;
  return {
    success: bought > 0,
    purchased_items: items,
    total_purchased: bought,
    failed_count: items.length - bought,
  };
}
