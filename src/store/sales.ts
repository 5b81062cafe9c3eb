import { randomBytes } from 'node:crypto';
import { itemMaker } from '../goods/catalogue.ts';
import { namedPictureUrl } from '../goods/kinds.ts';
import { type LiveSale, SALE_ID, type SaleState, stateOf } from '../sale.ts';
import { fenceOf } from './fence.ts';
import { keysOf } from './keys.ts';
import { type Postgres, statement, type Transaction } from './postgres.ts';
import { isContradiction } from './postgres-errors.ts';
import { type Redis, script } from './redis.ts';

const sql = {
  insertSale: statement('insert_sale'),
  insertItems: statement('insert_items'),
  takenItems: statement('taken_items'),
  liveSales: statement('live_sales'),
  saleState: statement('sale_state'),
};
const whole = script('whole');
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
}

export interface NewSale {
  readonly startsAtMs: number;
  readonly endsAtMs: number;
  readonly total: number;
  readonly userLimit: number;
  readonly hourly: boolean;
  /** ISO 4217. */
  readonly currency?: string;
  readonly name?: string;
  /** Generated when absent. */
  readonly items?: readonly NewSaleItem[];
}

/** An item id of a new sale is taken already. */
export class ItemTaken extends Error {
  override name = 'ItemTaken';
}

/** A fresh id for a sale. */
export const newSaleId = (): string => `S-${randomBytes(5).toString('hex')}`;

/**
 * Adds a sale and its items in one transaction. Returns its id; undefined when it is hourly and the hour has one.
 * Throws ItemTaken when an item id exists in any sale, and as `Postgres.transaction` does.
 */
export async function createSale(postgres: Postgres, sale: NewSale): Promise<string | undefined> {
  const id = newSaleId();
  try {
    return (await postgres.transaction('sales', (client) => insertSale(client, id, sale))) ? id : undefined;
  } catch (error) {
    const taken = takenIn(error);
    throw taken === undefined ? error : new ItemTaken(taken);
  }
}

/** The item id that exists in a sale already, if that is why a sale could not be added. */
export const takenIn = (error: unknown): string | undefined =>
  isContradiction(error) && error.table === 'items'
    ? (/\(id\)=\(([^)]*)\)/.exec(error.detail ?? '')?.[1] ?? '')
    : undefined;

/**
 * Adds a sale and its items within a transaction, in parts. False when it is hourly and the hour has one. Throws what pg throws:
 * `takenIn` knows an item id that exists.
 */
export async function insertSale(client: Transaction, id: string, sale: NewSale): Promise<boolean> {
  const span = [new Date(sale.startsAtMs), new Date(sale.endsAtMs)];
  const facts = [sale.total, sale.userLimit, sale.hourly, sale.currency ?? null, sale.name ?? null];
  const added = await client.query({ ...sql.insertSale, values: [id, ...span, ...facts] });
  if (added.rowCount === 0) return false;
  // While Postgres adds one part, the next is made.
  let adding: Promise<unknown> = Promise.resolve();
  for (let from = 0; from < sale.total; from += INSERT_ROWS) {
    const columns = columnsOf(id, sale, from, Math.min(from + INSERT_ROWS, sale.total));
    await adding;
    adding = client.query({ ...sql.insertItems, values: [id, from, ...columns] });
    // Awaited in the next round or below; a rejection before that is not an uncaught one.
    adding.catch(() => {});
    await new Promise((resolve) => setImmediate(resolve));
  }
  await adding;
  return true;
}

/** The items from one position to another, by columns. */
function columnsOf(saleId: string, { items }: NewSale, from: number, to: number): readonly unknown[][] {
  const make = itemMaker(saleId);
  const [ids, names, urls, prices, data]: [string[], string[], string[], unknown[], unknown[]] = [
    [],
    [],
    [],
    [],
    [],
  ];
  for (let i = from; i < to; i++) {
    const made = make(i);
    const given = items?.[i];
    const id = given?.id ?? made.id;
    ids.push(id);
    names.push(given?.name ?? made.name);
    urls.push(given === undefined ? made.imageUrl : (given.imageUrl ?? namedPictureUrl(id, given.name)));
    prices.push(given?.price ?? null);
    data.push(given?.data ?? null);
  }
  return [ids, names, urls, prices, data];
}

/** Of these item ids, those that a sale has: the first `limit` in their order, with their sales, and how many there are. */
export async function findTaken(
  postgres: Postgres,
  ids: readonly string[],
  limit: number,
): Promise<readonly { readonly id: string; readonly saleId: string; readonly taken: number }[]> {
  const rows = await postgres.query<{ id: string; sale_id: string; taken: number }>(sql.takenItems, [
    ids,
    limit,
  ]);
  return rows.map(({ id, sale_id: saleId, taken }) => ({ id, saleId, taken }));
}

/** Sales that may still have keys in Redis, oldest first. */
export async function readLiveSales(postgres: Postgres): Promise<LiveSale[]> {
  const rows = await postgres.query<{
    id: string;
    starts_ms: number;
    ends_ms: number;
    total: number;
    user_limit: number;
    hourly: boolean;
    epoch: number;
    paused: boolean;
    version: number;
    currency: string | null;
    name: string | null;
  }>(sql.liveSales);
  return rows.map((row) => ({
    id: row.id,
    startsAtMs: row.starts_ms,
    endsAtMs: row.ends_ms,
    total: row.total,
    userLimit: row.user_limit,
    hourly: row.hourly,
    epoch: row.epoch,
    paused: row.paused,
    version: row.version,
    ...namesOf(row),
  }));
}

/** What not every sale has. */
export const namesOf = ({ currency, name }: { currency: string | null; name: string | null }) => ({
  ...(currency !== null && { currency }),
  ...(name !== null && { name }),
});

/** The state of a sale that a worker does not know; Redis holds nothing of `retired` ones. */
export interface SaleStanding {
  readonly state: SaleState;
  readonly retired: boolean;
}

/** The state of one sale by Postgres and this process' clock; undefined when there is no such sale. */
export async function readStanding(
  postgres: Postgres,
  id: string,
  nowMs: number,
): Promise<SaleStanding | undefined> {
  if (!SALE_ID.test(id)) return undefined;
  const [sale] = await postgres.query<{ starts_ms: number; ends_ms: number; retired: boolean }>(
    sql.saleState,
    [id],
  );
  if (sale === undefined) return undefined;
  const state = stateOf({ startsAtMs: sale.starts_ms, endsAtMs: sale.ends_ms }, nowMs);
  return { state, retired: sale.retired };
}

/** Whether the sale in Redis is whole and lets the epoch in: what a sale needs to sell. */
export async function isSellable(
  redis: Redis,
  sale: Pick<LiveSale, 'id' | 'epoch' | 'total'>,
): Promise<boolean> {
  const k = keysOf(sale.id);
  const keys = [k.gate, k.sale, k.items, k.names, k.carts, k.codes, k.bought, k.decisions, k.outbox];
  const args = [fenceOf(sale.epoch), String(sale.total)];
  return (await redis.run(whole, keys, args)) === 1;
}

/** How many items of a live sale are sold, as Redis decided; undefined when Redis does not have the sale. */
export async function countSold(redis: Redis, saleId: string): Promise<number | undefined> {
  const sold = await redis.command('HGET', keysOf(saleId).sale, 'sold');
  return sold === null ? undefined : Number(sold);
}
