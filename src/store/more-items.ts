/** More items, and more units of items, for a sale that exists. Redis is rebuilt to them: it does not hold the sale's total any more. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ITEMS_MAX, SALE_ID, type SaleState, stateOf } from '../sale.ts';
import { Unavailable } from './errors.ts';
import type { Size } from './load-sale.ts';
import { insertItems, type NewSaleItem } from './new-items.ts';
import { type Postgres, statement, type Transaction } from './postgres.ts';
import type { Redis } from './redis.ts';
import { factsOf, type SaleRow } from './sale-row.ts';
import { isSellable } from './sales.ts';
import { readSale } from './switch.ts';

const sql = {
  lock: statement('lock_for_items'),
  size: statement('sale_size'),
  stocks: statement('item_stocks'),
  raise: statement('raise_stocks'),
  total: statement('raise_total'),
};
const RETRY_MS = 50;

/** An item that the sale may have already: then its `stock` is the one that it shall have. */
export type MoreItem = Partial<NewSaleItem> & {
  /** What the names of its fields stand behind for whoever sent it. */
  readonly at: string;
};

/** What is wrong, by the path of a field. */
export type ItemFault = readonly [path: string, sentence: string];

export type MoreItemsRefused =
  | { readonly because: 'no sale' }
  | { readonly because: 'state'; readonly state: SaleState }
  | { readonly because: 'items'; readonly faults: readonly ItemFault[] };

/** The sale as it is with the items. */
export interface MoreItemsAdded {
  readonly total: number;
  /** What came: items that are new, and units of all of them. */
  readonly items: number;
  readonly units: number;
}

/**
 * Adds items to a sale that is not over, and units to items that it has, within a transaction; or says why not, and has changed
 * nothing. `unitsMax`: of the whole sale. Throws what pg throws.
 */
export async function addItems(
  client: Transaction,
  saleId: string,
  items: readonly MoreItem[],
  unitsMax: number,
): Promise<MoreItemsAdded | { readonly refused: MoreItemsRefused }> {
  const sale = SALE_ID.test(saleId) ? await lockSale(client, saleId) : undefined;
  if (sale === undefined) return { refused: { because: 'no sale' } };
  const state = stateOf(factsOf(sale), sale.now_ms);
  if (sale.retired || state === 'ended' || state === 'cancelled')
    return { refused: { because: 'state', state: state === 'cancelled' ? state : 'ended' } };
  const stocks = await readStocks(client, saleId, items);
  const known = (item: MoreItem) => (item.id === undefined ? undefined : stocks.get(item.id));
  const faults = items.flatMap((item) => [...faultsOf(item, known(item), sale.currency !== null)]);
  const fresh = items.filter((item) => known(item) === undefined);
  const raised = items.filter((item) => known(item) !== undefined);
  const units = items.reduce((sum, item) => sum + (item.stock ?? 1) - (known(item) ?? 0), 0);
  if (sale.items + fresh.length > ITEMS_MAX)
    faults.push(['items', `a sale has at most ${ITEMS_MAX} items, and this one has ${sale.items}`]);
  if (sale.total + units > unitsMax)
    faults.push(['items', `a sale has at most ${unitsMax} units, and this one has ${sale.total}`]);
  if (faults.length > 0) return { refused: { because: 'items', faults } };
  await insertItems(client, saleId, {
    from: sale.items,
    count: fresh.length,
    items: fresh as readonly NewSaleItem[],
  });
  const stockOf = [raised.map(({ id }) => id), raised.map(({ stock }) => stock)];
  await client.query({ ...sql.raise, values: [saleId, ...stockOf] });
  await client.query({ ...sql.total, values: [saleId, units] });
  return { total: sale.total + units, items: fresh.length, units };
}

interface LockedRow extends SaleRow {
  readonly retired: boolean;
  readonly now_ms: number;
}

/** A sale as it is once all others who change its items are done. */
async function lockSale(client: Transaction, saleId: string): Promise<(LockedRow & Size) | undefined> {
  const locked = await client.query<LockedRow>({ ...sql.lock, values: [saleId] });
  const [sale] = locked.rows;
  if (sale === undefined) return undefined;
  const { rows } = await client.query<Size>({ ...sql.size, values: [saleId] });
  return { ...sale, ...(rows[0] as Size) };
}

async function readStocks(
  client: Transaction,
  saleId: string,
  items: readonly MoreItem[],
): Promise<Map<string, number>> {
  const ids = items.flatMap(({ id }) => id ?? []);
  const { rows } = await client.query<{ id: string; stock: number }>({
    ...sql.stocks,
    values: [saleId, ids],
  });
  return new Map(rows.map(({ id, stock }) => [id, stock]));
}

function* faultsOf(item: MoreItem, known: number | undefined, hasCurrency: boolean): Generator<ItemFault> {
  const { at, stock } = item;
  if (known === undefined) {
    if (item.name === undefined) yield [`${at}name`, 'name is required: the sale has no such item yet'];
    if (item.price !== undefined && !hasCurrency)
      yield [`${at}price`, 'price needs the currency of the sale, and it has none'];
    return;
  }
  for (const [field, value] of [
    ['name', item.name],
    ['image_url', item.imageUrl],
    ['price', item.price],
    ['data', item.data],
  ] as const)
    if (value !== undefined) yield [at + field, `${field} stays: the sale has ${item.id} already`];
  if (stock === undefined || stock <= known)
    yield [`${at}stock`, `stock must be more than the ${known} that ${item.id} has`];
}

/**
 * Resolves when Redis sells a sale as Postgres has it; the leader rebuilds it. Throws Unavailable when it does not within `ms`
 * milliseconds, and as `Postgres.query` and `Redis.run` do.
 */
export async function untilSellable(redis: Redis, postgres: Postgres, id: string, ms: number): Promise<void> {
  const deadline = performance.now() + ms;
  for (;;) {
    const sale = await readSale(redis, postgres, id);
    if (sale === undefined || sale.retired || (await isSellable(redis, sale))) return;
    if (performance.now() > deadline) throw new Unavailable('the items are not loaded yet');
    await sleep(RETRY_MS);
  }
}
