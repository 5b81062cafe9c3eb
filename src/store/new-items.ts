import { itemMaker } from '../goods/catalogue.ts';
import { namedPictureUrl } from '../goods/kinds.ts';
import { statement, type Transaction } from './postgres.ts';

const insert = statement('insert_items');
/** Rows of one statement: some ms of this process, some 50 of Postgres. Making all of them at once would stop the worker. */
const INSERT_ROWS = 2_000;

/** What a shop says of an item; the rest is made. */
export interface NewSaleItem {
  /** Absent: generated. */
  readonly id?: string;
  readonly name: string;
  /** Absent: the picture of what the name says. */
  readonly imageUrl?: string;
  /** In minor units of the sale's currency. */
  readonly price?: number;
  /** JSON of an object. */
  readonly data?: string;
  /** Units, 1 to 1,000,000. Absent: 1. */
  readonly stock?: number;
}

/** Items that a sale gets, beginning at a position. */
export interface NewItems {
  readonly from: number;
  readonly count: number;
  /** Generated when absent. */
  readonly items?: readonly NewSaleItem[] | undefined;
}

/**
 * Adds items of a sale within a transaction, in parts. Throws what pg throws: an id that the sale has already, or that occurs twice, is a
 * bug of the caller.
 */
export async function insertItems(client: Transaction, saleId: string, added: NewItems): Promise<void> {
  // While Postgres adds one part, the next is made.
  let adding: Promise<unknown> = Promise.resolve();
  for (let from = 0; from < added.count; from += INSERT_ROWS) {
    const columns = columnsOf(saleId, added, from, Math.min(from + INSERT_ROWS, added.count));
    await adding;
    adding = client.query({ ...insert, values: [saleId, added.from + from, ...columns] });
    // Awaited in the next round or below; a rejection before that is not an uncaught one.
    adding.catch(() => {});
    await new Promise((resolve) => setImmediate(resolve));
  }
  await adding;
}

/** Some of the items, by columns. */
function columnsOf(saleId: string, added: NewItems, from: number, to: number): readonly unknown[][] {
  const make = itemMaker(saleId);
  const ids: string[] = [];
  const names: string[] = [];
  const urls: string[] = [];
  const prices: unknown[] = [];
  const data: unknown[] = [];
  const stocks: number[] = [];
  for (let i = from; i < to; i++) {
    const made = make(added.from + i);
    const given = added.items?.[i];
    const id = given?.id ?? made.id;
    ids.push(id);
    names.push(given?.name ?? made.name);
    urls.push(given === undefined ? made.imageUrl : (given.imageUrl ?? namedPictureUrl(id, given.name)));
    prices.push(given?.price ?? null);
    data.push(given?.data ?? null);
    stocks.push(given?.stock ?? 1);
  }
  return [ids, names, urls, prices, data, stocks];
}
