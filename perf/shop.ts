/** What a client asks before it buys: which sale, what is left of it; and how to make a sale. */

import { setTimeout as sleep } from 'node:timers/promises';
import { readConfig } from '../src/config.ts';
import { type Connection, openConnection } from './client.ts';
import { UsageError } from './command.ts';

export interface Sale {
  readonly id: string;
  readonly started_at: string;
  readonly ended_at: string;
  readonly total_items: number;
  readonly items_sold: number;
  readonly active: boolean;
}

/** How often a read that is answered 503 is tried again. */
const TRIES = 5;

/** What is there; undefined when nothing is (404). Throws a UsageError for any other answer. */
async function find(connection: Connection, target: string): Promise<unknown> {
  let reply = await connection.request('GET', target);
  for (let tries = 1; reply.status === 503 && tries < TRIES; tries++) {
    await sleep(reply.retryAfterS * 1_000);
    reply = await connection.request('GET', target);
  }
  if (reply.status === 200) return JSON.parse(reply.body);
  if (reply.status === 404) return undefined;
  throw new UsageError(`GET ${target} was answered ${reply.status}: ${reply.body.slice(0, 200)}`);
}

async function get(connection: Connection, target: string): Promise<unknown> {
  const found = await find(connection, target);
  if (found === undefined) throw new UsageError(`there is nothing at ${target}.`);
  return found;
}

async function withConnection<T>(url: string, work: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = openConnection(url);
  try {
    return await work(connection);
  } catch (error) {
    if ((error as Error).name !== 'Lost') throw error;
    throw new UsageError(`no service answers at ${url} (${(error as Error).message}).`);
  } finally {
    connection.close();
  }
}

/** The sale of that id. Throws a UsageError when there is none. */
export const findSale = (url: string, id: string): Promise<Sale> =>
  withConnection(url, async (connection) => (await get(connection, `/sales/${id}`)) as Sale);

/** The active sale; undefined when none is open. */
export const findActiveSale = (url: string): Promise<Sale | undefined> =>
  withConnection(url, async (connection) => (await find(connection, '/sales/active')) as Sale | undefined);

/** The ids of a sale's items in their order; of those that are not sold, when `available`. */
export const listItems = (url: string, saleId: string, available: boolean): Promise<string[]> =>
  withConnection(url, async (connection) => {
    const ids: string[] = [];
    for (;;) {
      const last = ids.at(-1);
      const after = last === undefined ? '' : `&after=${encodeURIComponent(last)}`;
      const page = `/sales/${saleId}/items?limit=1000${available ? '&available=true' : ''}${after}`;
      const items = (await get(connection, page)) as { id: string }[];
      ids.push(...items.map((item) => item.id));
      if (items.length < 1_000) return ids;
    }
  });

/** So many generated items, or these. */
export type Goods =
  | number
  | readonly { readonly id: string; readonly name: string; readonly stock: number }[];

/** Creates a sale that is open now, for an hour, through the admin API (ADMIN_TOKEN, where it is set). */
export const createSale = (url: string, goods: Goods, userLimit: number): Promise<Sale> =>
  withConnection(url, async (connection) => {
    const times = { started_at: timeAt(-1_000), ended_at: timeAt(3_600_000) };
    const token = readConfig().adminToken;
    const headers: Record<string, string> = token ? { Authorization: `Bearer ${token}` } : {};
    const wanted = typeof goods === 'number' ? { total_items: goods } : { items: goods };
    const body = JSON.stringify({ ...wanted, user_limit: userLimit, ...times });
    const reply = await connection.post('/admin/sales', body, headers);
    if (reply.status !== 201) {
      const hint = [401, 404].includes(reply.status) ? '; ADMIN_TOKEN must be that of the service' : '';
      throw new UsageError(`no sale could be made (${reply.status} ${reply.body.slice(0, 200)})${hint}.`);
    }
    return await findSale(url, (JSON.parse(reply.body) as { data: { id: string } }).data.id);
  });

export const timeAt = (fromNowMs: number) =>
  new Date(Date.now() + fromNowMs).toISOString().replace(/\.\d+Z$/, 'Z');
