/** What a client asks before it buys: which sale, what is left of it; and how to make a sale. */

import { createShop, Refusal, type Sale as SaleOfContract, type Shop } from '../client/index.ts';
import { readConfig } from '../src/config.ts';
import { Lost, openConnection } from './client.ts';
import { UsageError } from './command.ts';

/** What every answer about a sale has. */
export type Sale = Omit<SaleOfContract, 'state' | 'items_held'>;

/** What a shop answers, by the client that everybody uses: nothing of it is measured. Throws a UsageError where it refuses. */
async function ask<T>(url: string, what: string, work: (shop: Shop) => Promise<T>): Promise<T> {
  try {
    return await work(createShop({ baseUrl: url }));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.status === 0) throw new UsageError(`no service answers at ${url} (${error.message})`);
    throw new UsageError(`the service was asked for ${what}, and answered ${error.status}: ${error.message}`);
  }
}

/** The sale of that id. Throws a UsageError when there is none. */
export const findSale = (url: string, id: string): Promise<Sale> =>
  ask(url, `the sale ${id}`, (shop) => shop.sale(id));

/** The active sale; undefined when none is open. */
export const findActiveSale = (url: string): Promise<Sale | undefined> =>
  ask(url, 'the active sale', (shop) => shop.activeSale());

/** The ids of a sale's items in their order; of those that are not sold, when `available`. */
export const listItems = (url: string, saleId: string, available: boolean): Promise<string[]> =>
  ask(url, `the items of ${saleId}`, async (shop) => {
    const ids: string[] = [];
    for await (const page of shop.allItems({ sale: saleId, available }))
      ids.push(...page.map(({ id }) => id));
    return ids;
  });

const adminHeaders = (): Record<string, string> => {
  const token = readConfig().adminToken;
  return token ? { Authorization: `Bearer ${token}` } : {};
};

/** So many generated items, or these. */
export type Goods =
  | number
  | readonly { readonly id: string; readonly name: string; readonly stock: number }[];

/** Creates a sale that is open now, for an hour, through the admin API (ADMIN_TOKEN, where it is set). */
export async function createSale(url: string, goods: Goods, userLimit: number): Promise<Sale> {
  const connection = openConnection(url);
  const times = { started_at: timeAt(-1_000), ended_at: timeAt(3_600_000) };
  const wanted = typeof goods === 'number' ? { total_items: goods } : { items: goods };
  const body = JSON.stringify({ ...wanted, user_limit: userLimit, ...times });
  try {
    const reply = await connection.post('/admin/sales', body, adminHeaders());
    if (reply.status !== 201) {
      const hint = [401, 404].includes(reply.status) ? '; ADMIN_TOKEN must be that of the service' : '';
      throw new UsageError(`no sale could be made (${reply.status} ${reply.body.slice(0, 200)})${hint}.`);
    }
    return await findSale(url, (JSON.parse(reply.body) as { data: { id: string } }).data.id);
  } catch (error) {
    if (!(error instanceof Lost)) throw error;
    throw new UsageError(`no service answers at ${url} (${error.message}).`);
  } finally {
    connection.close();
  }
}

/** Ends a sale now, through the admin API. */
export async function endSale(url: string, saleId: string): Promise<void> {
  const { ok, status } = await fetch(`${url}/admin/sales/${saleId}`, {
    method: 'PATCH',
    headers: { ...adminHeaders(), 'Content-Type': 'application/json' },
    body: JSON.stringify({ ended_at: 'now' }),
    signal: AbortSignal.timeout(10_000),
  });
  if (!ok) throw new UsageError(`the sale ${saleId} could not be ended (${status}).`);
}

export const timeAt = (fromNowMs: number) =>
  new Date(Date.now() + fromNowMs).toISOString().replace(/\.\d+Z$/, 'Z');
