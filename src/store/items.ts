import { type Postgres, statement } from './postgres.ts';

const listItemsSql = statement('list_items');

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
  return postgres.query<ItemView & Record<string, unknown>>(listItemsSql, [
    page.saleId,
    page.after ?? null,
    page.limit,
    page.availableOnly,
  ]);
}
