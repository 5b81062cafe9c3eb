/** The books of the demo, compared from three sides and told in words. */
import { openStores } from '../perf/command.ts';
import type { ServiceFile } from '../src/primary/service-file.ts';
import { auditSale, CHECKS } from '../src/store/audit/audit.ts';
import { LIMIT, type Order } from './back-office.ts';
import { CROWD, type Told } from './crowd.ts';

export interface Books {
  readonly words: readonly string[];
  /** One sentence for each thing that does not balance. */
  readonly differences: readonly string[];
}

/** The units of such an order, or some of them, are the buyer's no longer. */
const GIVEN_BACK = ['released', 'cancelled', 'partly_cancelled'];

export interface BooksOptions {
  readonly service: Pick<ServiceFile, 'redisUrl' | 'databaseUrl'>;
  readonly sale: string;
  /** Units of each item. */
  readonly stocks: ReadonlyMap<string, number>;
  readonly orders: readonly Order[];
  readonly told: ReadonlyMap<string, Told>;
}

export async function compareBooks({ service, sale, stocks, orders, told }: BooksOptions): Promise<Books> {
  const stores = await openStores(service);
  const found = await auditSale(stores.redis, stores.postgres, sale).finally(stores.close);
  const audit = found.map(({ check, subject, problem }) => `${check}: ${subject} ${problem}`);
  const differences = [...differencesOf(orders, told, stocks), ...audit];
  const yours = orders.filter(({ user_id: user }) => !user.startsWith(CROWD)).length;
  const [codes, open] = [told.size, [...told.values()].filter(({ receipt }) => !receipt).length];
  const words = [
    `Buyers were told what became of ${codes - open} carts, and ${open === 0 ? 'none is open' : `${open} are open`}. Postgres says the same of each,`,
    `line by line, and knows ${yours === 0 ? 'of no other purchase' : `${yours} more: yours`}.`,
    `No unit is sold twice, and nobody holds more than ${LIMIT}.`,
    `Redis and Postgres agree (${CHECKS.join(', ')}).`,
  ];
  return { words, differences };
}

const linesOf = (items: Order['purchased_items']): string =>
  items
    .filter(({ sold }) => sold)
    .map(({ id, quantity = 1 }) => `${quantity} × ${id}`)
    .sort()
    .join(', ');

/** What Postgres and the buyers do not say alike, and what goes beyond a bound. */
export const differencesOf = (
  orders: readonly Order[],
  told: ReadonlyMap<string, Told>,
  stocks: ReadonlyMap<string, number>,
): string[] => [...againstTold(orders, told), ...aboveBounds(orders, stocks)];

/** Told ⊆ Postgres ⊆ told ∪ open. */
function againstTold(orders: readonly Order[], told: ReadonlyMap<string, Told>): string[] {
  const byCode = new Map(orders.map((order) => [order.code, order]));
  const differences: string[] = [];
  for (const [code, { user, receipt }] of told) {
    const order = byCode.get(code);
    const heard = receipt && linesOf(receipt.purchased_items);
    const is = order ? linesOf(order.purchased_items) : '';
    if (heard !== undefined && heard !== is)
      differences.push(`${user} was told of [${heard}] for ${code}, and Postgres has [${is}]`);
    if (order && order.user_id !== user)
      differences.push(`${code} is of ${user}, and Postgres says ${order.user_id}`);
  }
  for (const { code, user_id: user } of orders)
    if (user.startsWith(CROWD) && !told.has(code))
      differences.push(`${code} is in Postgres for ${user}, and nobody was told so`);
  return differences;
}

/** A unit sold twice, or a buyer above the limit; orders that were given back are left out. */
function aboveBounds(orders: readonly Order[], stocks: ReadonlyMap<string, number>): string[] {
  const units = new Map<string, number>();
  const held = new Map<string, number>();
  for (const { state, user_id: user, purchased_items: items } of orders) {
    if (GIVEN_BACK.includes(state)) continue;
    for (const { id, sold, quantity = 1 } of items) {
      if (!sold) continue;
      units.set(id, (units.get(id) ?? 0) + quantity);
      held.set(user, (held.get(user) ?? 0) + quantity);
    }
  }
  return [
    ...[...units]
      .filter(([id, count]) => count > (stocks.get(id) ?? 0))
      .map(([id, count]) => `${count} units of ${id} are sold, and there are ${stocks.get(id)}`),
    ...[...held]
      .filter(([, count]) => count > LIMIT)
      .map(([user, count]) => `${user} holds ${count} units, and the limit is ${LIMIT}`),
  ];
}
