import { type Postgres, statement } from './postgres.ts';

const sql = { list: statement('list_items'), has: statement('has_item') };

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
}

/** A page of a sale's items in their order; `sold` is what is committed. Throws as `Postgres.query` does. */
export function listItems(postgres: Postgres, page: ItemPage): Promise<ItemView[]> {
  return postgres.query<ItemView & Record<string, unknown>>(sql.list, [
    page.saleId,
    page.after ?? null,
    page.limit,
    page.availableOnly,
  ]);
}

/** Whether a sale has an item. Throws as `Postgres.query` does. */
export async function hasItem(postgres: Postgres, saleId: string, itemId: string): Promise<boolean> {
  return (await postgres.query(sql.has, [saleId, itemId])).length > 0;
}
