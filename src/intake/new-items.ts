import { ITEMS_MAX } from '../sale.ts';
import type { NewSaleItem } from '../store/new-items.ts';
import type { Row } from './csv.ts';
import type { Faults } from './faults.ts';
import {
  type Fields,
  isObject,
  kindOf,
  readData,
  readImageUrl,
  readItemId,
  readName,
  readPrice,
  refuseUnknown,
  wholeNumber,
} from './fields.ts';
import { inTurns, type Pace } from './pace.ts';

const readStock = wholeNumber(1, ITEMS_MAX);
export const ITEM_FIELDS = ['id', 'name', 'image_url', 'price', 'stock', 'data'] as const;
export const ITEM_COLUMNS = ['id', 'name', 'stock', 'price', 'image_url'] as const;

/** An item as it was sent, and how people find it: `items[3]`, or `line 7`. */
export interface RawItem {
  readonly place: string;
  /** Stands between the place and the name of a field. */
  readonly joint: string;
  readonly fields: Fields;
}

/** The raw items of a list in JSON, read in turns; undefined when it is no list, or too long. */
export async function rawItemsOf(value: unknown, faults: Faults, pace: Pace): Promise<RawItem[] | undefined> {
  if (!Array.isArray(value) || value.length === 0) {
    faults.add('items', 'items must be a list of at least one item');
    return undefined;
  }
  if (value.length > ITEMS_MAX) {
    faults.add('items', `items must be at most ${ITEMS_MAX}, not ${value.length}`);
    return undefined;
  }
  const items: RawItem[] = [];
  await inTurns(value, pace, (fields: unknown, i) => {
    const place = `items[${i}]`;
    if (isObject(fields)) items.push({ place, joint: '.', fields });
    else faults.add(place, `${place} must be an object, not ${kindOf(fields)}`);
  });
  return items;
}

/** The raw items of the rows of a table, whose numbers are texts, made in turns. */
export async function rawItemsOfRows(rows: readonly Row[], pace: Pace): Promise<RawItem[]> {
  const items: RawItem[] = [];
  await inTurns(rows, pace, ({ line, cells }) => {
    const fields = {
      ...cells,
      ...(cells.price !== undefined && { price: numberOf(cells.price) }),
      ...(cells.stock !== undefined && { stock: numberOf(cells.stock) }),
    };
    items.push({ place: `line ${line}`, joint: ', ', fields });
  });
  return items;
}

/** The number that a text is; a text that is none stays, and is refused as one. */
export const numberOf = (text: string): unknown => (/^\s*\d{1,15}\s*$/.test(text) ? Number(text) : text);

/** An item as it was read, and what the names of its fields stand behind: `items[3].`. */
export type ReadItem = Partial<NewSaleItem> & { readonly at: string };

/** What is asked of items: whether all of them are new, and so need a name; and whether they may have prices. */
export interface Needs {
  readonly areNew: boolean;
  readonly hasCurrency: boolean;
}

/** Reads items in turns. What is wrong with them is in `faults`. */
export async function readItems(
  raw: readonly RawItem[],
  needs: Needs,
  faults: Faults,
  pace: Pace,
): Promise<ReadItem[]> {
  const seen = new Map<string, string>();
  const items: ReadItem[] = [];
  await inTurns(raw, pace, (each) => items.push(readItem(each, seen, needs, faults)));
  return items;
}

function readItem(
  { place, joint, fields }: RawItem,
  seen: Map<string, string>,
  { areNew, hasCurrency }: Needs,
  faults: Faults,
): ReadItem {
  const at = place + joint;
  refuseUnknown(fields, ITEM_FIELDS, 'a field of an item, which has', faults, at);
  const id = readItemId(fields.id, `${at}id`, faults);
  const before = id === undefined ? undefined : seen.get(id);
  if (before !== undefined) faults.add(`${at}id`, `id must occur once: ${before} has ${id} too`);
  else if (id !== undefined) seen.set(id, place);
  const name = readName(fields.name ?? (areNew ? null : undefined), `${at}name`, faults);
  const imageUrl = readImageUrl(fields.image_url, `${at}image_url`, faults);
  const price = readPrice(fields.price, `${at}price`, faults);
  if (price !== undefined && !hasCurrency)
    faults.add(`${at}price`, 'price needs the currency of the sale: give currency');
  const stock = readStock(fields.stock, `${at}stock`, faults);
  const data = readData(fields.data, `${at}data`, faults);
  return {
    at,
    ...(name !== undefined && { name }),
    ...(id !== undefined && { id }),
    ...(imageUrl !== undefined && { imageUrl }),
    ...(price !== undefined && { price }),
    ...(stock !== undefined && { stock }),
    ...(data !== undefined && { data }),
  };
}
