import { type Postgres, statement } from './postgres.ts';

const sql = {
  list: statement('list_items'),
  unsold: statement('list_unsold'),
  position: statement('item_position'),
};

export interface ItemPage {
  readonly saleId: string;
  readonly after?: string;
  readonly limit: number;
  readonly availableOnly: boolean;
}

/** An item as the contract shows it. */
export interface ItemView {
  readonly id: string;
  readonly name: string;
  readonly image_url: string;
  readonly sold: boolean;
  /** In minor units of the sale's currency; of an item that was given one. */
  readonly price?: number;
  /** What the shop keeps with it. */
  readonly data?: object;
  /** Units, and those that no committed purchase holds; of an item with more than one. */
  readonly stock?: number;
  readonly left?: number;
}

interface ItemRow extends Record<string, unknown> {
  readonly id: string;
  readonly name: string;
  readonly image_url: string;
  readonly price: number | null;
  readonly data: object | null;
  readonly stock: number;
  readonly left: number;
}

/** A page of a sale's items in their order; `sold` is what is committed. Throws as `Postgres.query` does. */
export async function listItems(postgres: Postgres, page: ItemPage): Promise<ItemView[]> {
  const { saleId, after = null, limit, availableOnly } = page;
  const rows = await postgres.query<ItemRow>(sql.list, [saleId, after, limit, availableOnly]);
  return rows.map(viewOf);
}

/** A row without what the item was not given. */
const viewOf = ({ id, name, image_url, price, data, stock, left }: ItemRow): ItemView => ({
  id,
  name,
  image_url,
  sold: left === 0,
  ...(price !== null && { price }),
  ...(data !== null && { data }),
  ...(stock > 1 && { stock, left }),
});

export interface Stretches {
  /** Positions at which they begin. */
  readonly starts: readonly number[];
  /** Positions of each. */
  readonly length: number;
}

/**
 * Unsold items of stretches of a sale behind a position, `limit` of each stretch at most, in their order; with the
 * position at which the stretch begins. Throws as `Postgres.query` does.
 */
export async function listUnsold(
  postgres: Postgres,
  saleId: string,
  { starts, length }: Stretches,
  behind: number,
  limit: number,
): Promise<(ItemView & { readonly start: number })[]> {
  const values = [saleId, starts, length, behind, limit];
  const rows = await postgres.query<ItemRow & { start: number }>(sql.unsold, values);
  return rows.map((row) => ({ ...viewOf(row), start: row.start }));
}

/** The place of an item in the order of its sale, from 0; undefined when it has no such item. Throws as `Postgres.query` does. */
export async function findPosition(
  postgres: Postgres,
  saleId: string,
  itemId: string,
): Promise<number | undefined> {
  const [row] = await postgres.query<{ position: number }>(sql.position, [saleId, itemId]);
  return row?.position;
}
