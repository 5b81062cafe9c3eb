/** A shop that gives back: what tests of returns do with the stores, which are theirs alone. */
import assert from 'node:assert/strict';
import { auditSale } from '../../src/store/audit/audit.ts';
import { createCheckouts } from '../../src/store/checkouts.ts';
import { keysOf } from '../../src/store/keys.ts';
import { createPurchases } from '../../src/store/purchases.ts';
import { rebuildSale } from '../../src/store/rebuild.ts';
import { eachReturn, type GiveBack, giveBack, shelveReturns } from '../../src/store/returns.ts';
import { isSellable } from '../../src/store/sales.ts';
import { openSale, openStores, type TestSale } from '../support/stores.ts';

export const stores = await openStores();
export const { redis, postgres, sql } = stores;

export const NAMED = [
  { id: 'shirt', name: 'Shirt', stock: 10 },
  { id: 'poster', name: 'Poster' },
  { id: 'mug', name: 'Mug' },
];
export const open = (limit = 20) => openSale(stores, { items: 12, limit, named: NAMED });
export const audit = async (sale: TestSale) =>
  (await auditSale(redis, postgres, sale.id)).map(({ subject, problem }) => `${subject} ${problem}`);
export const fill = (sale: TestSale, userId: string, itemId: string, quantity?: number) =>
  createCheckouts(redis, () => sale).add({ userId, itemId, quantity });
export async function buy(sale: TestSale, userId: string, ...wanted: (string | [string, number])[]) {
  let code = '';
  for (const each of wanted) {
    const [itemId, quantity] = typeof each === 'string' ? [each] : each;
    const cart = await fill(sale, userId, itemId, quantity);
    assert.equal(cart.outcome, 'added');
    code = cart.code as string;
  }
  const purchases = createPurchases({
    ...{ redis, postgres, sale: () => sale },
    ...{ onError: assert.ifError, forgetAfterMs: 0 },
  });
  const result = await purchases.add(code);
  assert.ok('decision' in result, result.outcome);
  return { code, lines: result.decision.lines };
}
export type Options = Partial<Pick<GiveBack, 'kind' | 'restock' | 'reason'>>;
/** Takes back all that these codes hold, or lines of it. */
export async function take(sale: TestSale, codes: GiveBack['codes'] | string, options: Options = {}) {
  const list = typeof codes === 'string' ? [{ code: codes }] : codes;
  const given = await giveBack(postgres, {
    ...{ saleId: sale.id, codes: list },
    ...{ kind: 'cancelled', restock: true, ...options },
  });
  assert.ok(given, 'a rebuild is under way');
  return given;
}
export async function takeAndShelve(sale: TestSale, codes: GiveBack['codes'] | string, options?: Options) {
  const given = await take(sale, codes, options);
  assert.equal(await shelveReturns(redis, postgres, sale, given.returns[0]?.number), true);
  return given.returns;
}
export const rebuilt = async (sale: TestSale): Promise<TestSale> => {
  const { epoch } = (await rebuildSale(redis, postgres, sale.id, assert.fail))!;
  return { ...sale, epoch };
};
export const COUNTS = ['returned', 'sold', 'gone', 'free', 'buyers', 'changes'] as const;
export async function countsOf(sale: TestSale): Promise<Partial<Record<(typeof COUNTS)[number], number>>> {
  const counts = (await redis.command('HMGET', keysOf(sale.id).sale, ...COUNTS)) as string[];
  return Object.fromEntries(COUNTS.map((name, i) => [name, Number(counts[i])]));
}
export const leftOf = (sale: TestSale, item: string) => redis.command('HGET', keysOf(sale.id).items, item);
export const freeOf = (sale: TestSale) => redis.command('ZRANGE', keysOf(sale.id).free, '0', '-1');
export const boughtOf = (sale: TestSale, user: string) => redis.command('HGET', keysOf(sale.id).bought, user);
export async function returnsOf(sale: TestSale) {
  const all = [];
  for await (const part of eachReturn(postgres, sale.id)) all.push(...part);
  return all.map(({ number, code, lines }) => [number, code, lines.join(' ')]);
}
/** The books balance, Redis is whole, and a rebuild would make the same of it. */
export async function check(sale: TestSale): Promise<TestSale> {
  assert.deepEqual(await audit(sale), []);
  assert.equal(await isSellable(redis, sale), true);
  const keys = keysOf(sale.id);
  const state = async () => [
    await Promise.all(NAMED.map(({ id }) => leftOf(sale, id))),
    await redis.command('HGETALL', keys.bought),
    await redis.command('HGETALL', keys.returns),
    { ...(await countsOf(sale)), changes: 0, free: 0 },
  ];
  const before = await state();
  const again = await rebuilt(sale);
  assert.deepEqual(await state(), before);
  assert.deepEqual(await audit(again), []);
  return again;
}
