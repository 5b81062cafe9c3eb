/** Units in the specification: what is left of an item, and what a decision's line may say of it. */
import { itemOf, unitsOf } from '../../src/store/decision.ts';
import { type Holdings, takenIn } from './holdings.ts';
import { law, type Stocks } from './model.ts';

/** A unit by name: unit 0 as its item, so that a unique item is named as ever. */
export const unitName = (item: string, unit: number): string => (unit === 0 ? item : `${item}@${unit}`);

/** Every unit that there is. */
export const allUnits = (stocks: Stocks): string[] =>
  [...stocks].flatMap(([item, stock]) => Array.from({ length: stock }, (_, unit) => unitName(item, unit)));

/** How many units of an item are for sale. */
export const leftOf = (stocks: Stocks, holdings: Holdings, item: string): number =>
  (stocks.get(item) ?? 0) - takenIn(holdings).filter((unit) => unit.split('@')[0] === item).length;

/** A word of a cart: the item, and the quantity where it is not 1. */
export function lineOf(word: string): { readonly item: string; readonly quantity: number } {
  const [item = '', quantity = '1'] = word.split('*');
  return { item, quantity: Number(quantity) };
}

export const wordOf = (item: string, quantity: number): string =>
  quantity === 1 ? item : `${item}*${quantity}`;

/** Units of a cart's lines that could be bought now, but for one item's own. */
export const liveUnits = (
  stocks: Stocks,
  holdings: Holdings,
  words: readonly string[],
  but: string,
): number =>
  words
    .map(lineOf)
    .filter(({ item, quantity }) => item !== but && leftOf(stocks, holdings, item) >= quantity)
    .reduce((sum, { quantity }) => sum + quantity, 0);

/**
 * Takes the line that Redis has chosen for a word that is bought: which units it hands out is its own affair, as long as they are
 * of the item, as many as asked for, and nobody's.
 */
export function checkedLine(
  stocks: Stocks,
  held: readonly string[],
  word: string,
  chosen: string | undefined,
): string {
  const { item, quantity } = lineOf(word);
  const units = chosen === undefined ? [] : unitsOf(chosen);
  law(chosen !== undefined && itemOf(chosen) === item, `${word} is bought, and the line says ${chosen}`);
  law(new Set(units).size === quantity && units.length === quantity, `${chosen} is not as many as ${word}`);
  for (const unit of units) {
    law(unit >= 0 && unit < (stocks.get(item) ?? 0), `${chosen} is past the stock`);
    law(!held.includes(unitName(item, unit)), `unit ${unit} of ${item} is handed out twice`);
  }
  return chosen;
}
