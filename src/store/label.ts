/** What Redis keeps of an item for receipts: its name and, where it has one, a tab that no name has, and its price. */
const TAB = '\t';

export const labelOf = (name: string, price: number | null): string =>
  price === null ? name : `${name}${TAB}${price}`;

/** The name in a label. */
export const nameIn = (label: string): string => label.split(TAB, 1)[0] as string;

/** The price in a label, in minor units of the sale's currency; null where the item has none. */
export function priceIn(label: string | null): number | null {
  const at = label?.indexOf(TAB) ?? -1;
  return label === null || at === -1 ? null : Number(label.slice(at + 1));
}
