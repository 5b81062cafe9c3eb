import { randomBytes } from 'node:crypto';
import { type LiveSale, type QueueSettings, SALE_ID, type SaleState, stateOf } from '../sale.ts';
import { fenceOf } from './fence.ts';
import { keysOf } from './keys.ts';
import { insertItems, type NewSaleItem } from './new-items.ts';
import { type Postgres, statement, type Transaction } from './postgres.ts';
import { insertQueue } from './queue/saved.ts';
import { type Redis, script } from './redis.ts';
import { factsOf, type SaleRow } from './sale-row.ts';

const sql = {
  insertSale: statement('insert_sale'),
  liveSales: statement('live_sales'),
  saleState: statement('sale_state'),
};
const whole = script('whole');

export interface NewSale {
  readonly startsAtMs: number;
  readonly endsAtMs: number;
  /** Units: the sum of the items' stock. */
  readonly total: number;
  readonly userLimit: number;
  readonly hourly: boolean;
  /** ISO 4217. */
  readonly currency?: string;
  readonly name?: string;
  /** How long a purchase waits for its payment; absent: it is final at once. */
  readonly paymentSeconds?: number;
  /** Absent: everybody may check out at once. */
  readonly queue?: QueueSettings;
  /** Generated when absent. */
  readonly items?: readonly NewSaleItem[];
}

/** A fresh id for a sale. */
export const newSaleId = (): string => `S-${randomBytes(5).toString('hex')}`;

/**
 * Adds a sale and its items in one transaction. Returns its id; undefined when it is hourly and the hour has one.
 * Throws as `Postgres.transaction` does.
 */
export async function createSale(postgres: Postgres, sale: NewSale): Promise<string | undefined> {
  const id = newSaleId();
  return (await postgres.transaction('sales', (client) => insertSale(client, id, sale))) ? id : undefined;
}

/**
 * Adds a sale and its items within a transaction, in parts. False when it is hourly and the hour has one. Throws what pg throws:
 * two items of one id are a bug of the caller.
 */
export async function insertSale(client: Transaction, id: string, sale: NewSale): Promise<boolean> {
  const span = [new Date(sale.startsAtMs), new Date(sale.endsAtMs)];
  const { total, userLimit, hourly, currency = null, name = null, paymentSeconds = null } = sale;
  const facts = [total, userLimit, hourly, currency, name, paymentSeconds];
  const added = await client.query({ ...sql.insertSale, values: [id, ...span, ...facts] });
  if (added.rowCount === 0) return false;
  if (sale.queue) await insertQueue(client, id, sale.queue);
  await insertItems(client, id, { from: 0, count: sale.items?.length ?? sale.total, items: sale.items });
  return true;
}

interface LiveRow extends SaleRow {
  readonly hourly: boolean;
  readonly epoch: number;
  readonly version: number;
  readonly items: number;
}

/** Sales that may still have keys in Redis, oldest first. */
export async function readLiveSales(postgres: Postgres): Promise<LiveSale[]> {
  const rows = await postgres.query<LiveRow>(sql.liveSales);
  return rows.map((row) => ({
    ...factsOf(row),
    ...(row.items !== row.total && { items: row.items }),
    hourly: row.hourly,
    epoch: row.epoch,
    version: row.version,
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
  const keys = [
    k.gate,
    k.sale,
    k.items,
    k.names,
    k.carts,
    k.codes,
    k.bought,
    k.decisions,
    k.outbox,
    k.free,
    k.returns,
  ];
  const args = [fenceOf(sale.epoch), String(sale.total)];
  return (await redis.run(whole, keys, args)) === 1;
}

/** How many units of a live sale are sold, as Redis decided; undefined when Redis does not have the sale. */
export async function countSold(redis: Redis, saleId: string): Promise<number | undefined> {
  const sold = await redis.command('HGET', keysOf(saleId).sale, 'sold');
  return sold === null ? undefined : Number(sold);
}

/** How many items of a sale Redis holds; fewer than the sale has while it is being loaded. */
export async function countLoaded(redis: Redis, saleId: string): Promise<number> {
  return Number(await redis.command('HLEN', keysOf(saleId).names));
}
