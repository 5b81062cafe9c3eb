import { randomBytes } from 'node:crypto';
import { generateItems, type NewItem } from '../goods/catalogue.ts';
import { namedPictureUrl } from '../goods/kinds.ts';
import { type LiveSale, SALE_ID, type SaleState, stateOf } from '../sale.ts';
import { fenceOf } from './fence.ts';
import { keysOf } from './keys.ts';
import { type Postgres, statement } from './postgres.ts';
import { isContradiction } from './postgres-errors.ts';
import { type Redis, script } from './redis.ts';

const sql = {
  insertSale: statement('insert_sale'),
  insertItems: statement('insert_items'),
  liveSales: statement('live_sales'),
  saleState: statement('sale_state'),
};
const whole = script('whole');
/** Rows of one statement: some 50 ms, far below any deadline, however large the sale. */
const INSERT_ROWS = 5_000;

export interface NewSale {
  readonly startsAtMs: number;
  readonly endsAtMs: number;
  readonly total: number;
  readonly userLimit: number;
  readonly hourly: boolean;
  /** Generated when absent; a name without an id gets a generated one, without an image the picture of what it says. */
  readonly items?: readonly { readonly id?: string; readonly name: string; readonly imageUrl?: string }[];
}

/** An item id of a new sale is taken already. */
export class ItemTaken extends Error {
  override name = 'ItemTaken';
}

/**
 * Adds a sale and its items in one transaction. Returns its id; undefined when it is hourly and the hour has one.
 * Throws ItemTaken when an item id exists in any sale, and as `Postgres.transaction` does.
 */
export async function createSale(postgres: Postgres, sale: NewSale): Promise<string | undefined> {
  const id = `S-${randomBytes(5).toString('hex')}`;
  const facts = [
    id,
    new Date(sale.startsAtMs),
    new Date(sale.endsAtMs),
    sale.total,
    sale.userLimit,
    sale.hourly,
  ];
  try {
    return await postgres.transaction('sales', async (client) => {
      const added = await client.query({ ...sql.insertSale, values: facts });
      if (added.rowCount === 0) return undefined;
      const items = itemsOf(id, sale);
      for (let from = 0; from < items.length; from += INSERT_ROWS) {
        const rows = items.slice(from, from + INSERT_ROWS);
        const columns = [rows.map((i) => i.id), rows.map((i) => i.name), rows.map((i) => i.imageUrl)];
        await client.query({ ...sql.insertItems, values: [id, from, ...columns] });
      }
      return id;
    });
  } catch (error) {
    if (isContradiction(error) && error.table === 'items') {
      throw new ItemTaken(/\(id\)=\(([^)]*)\)/.exec(error.detail ?? '')?.[1]);
    }
    throw error;
  }
}

function itemsOf(saleId: string, sale: NewSale): readonly NewItem[] {
  const generated = generateItems(saleId, sale.total);
  if (sale.items === undefined) return generated;
  return sale.items.map((item, i) => {
    const id = item.id ?? (generated[i] as NewItem).id;
    return { id, name: item.name, imageUrl: item.imageUrl ?? namedPictureUrl(id, item.name) };
  });
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
  }>(sql.liveSales);
  return rows.map((row) => ({
    id: row.id,
    startsAtMs: row.starts_ms,
    endsAtMs: row.ends_ms,
    total: row.total,
    userLimit: row.user_limit,
    hourly: row.hourly,
    epoch: row.epoch,
  }));
}

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
