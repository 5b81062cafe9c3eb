import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditSale } from '../../src/store/audit/audit.ts';
import { createCheckouts, newCode } from '../../src/store/checkouts.ts';
import { commitDecisions } from '../../src/store/commit.ts';
import { decideCodes } from '../../src/store/decide.ts';
import { keysOf } from '../../src/store/keys.ts';
import { createPurchases } from '../../src/store/purchases.ts';
import { rebuildSale } from '../../src/store/rebuild.ts';
import { giveBack, shelveReturns } from '../../src/store/returns.ts';
import { isSellable } from '../../src/store/sales.ts';
import { until } from '../support/processes.ts';
import { addSale, openSale, openStores, type TestSale } from '../support/stores.ts';

const stores = await openStores();
const { redis, postgres, sql } = stores;

const cart = (sale: TestSale, userId: string, item: number) =>
  createCheckouts(redis, () => sale).add({ userId, itemId: sale.itemIds[item]! });

/** Of an item with a stock dan holds unit 1, so that unit 2 is free above it. */
async function openTorn(): Promise<TestSale> {
  const named = [
    ...Array.from({ length: 5 }, (_, i) => ({ id: `i${i}`, name: 'One' })),
    { id: 'many', name: 'Many', stock: 3 },
  ];
  const sale = await addSale(stores, { limit: 1, items: 8, named });
  const decision = {
    code: newCode(sale.id),
    saleId: sale.id,
    userId: 'dan',
    decidedMs: Date.now(),
    lines: ['+many@1'],
  };
  assert.ok(await commitDecisions(postgres, sale, [decision]));
  const rebuilt = await rebuildSale(redis, postgres, sale.id, assert.fail);
  return { ...sale, epoch: rebuilt!.epoch };
}

/** A sale of which every key holds something: ada has bought, eve has given back, bob has decided and not committed, cleo has a cart. */
async function openFullSale(): Promise<TestSale> {
  const sale = await openTorn();
  const purchases = createPurchases({
    ...{ redis, postgres, sale: () => sale },
    ...{ onError: assert.ifError, forgetAfterMs: 0 },
  });
  const { code } = await cart(sale, 'ada', 0);
  assert.equal((await purchases.add(code)).outcome, 'decided');
  await until('it is forgotten', async () => (await redis.command('XLEN', keysOf(sale.id).outbox)) === 0);
  const { code: eves } = await cart(sale, 'eve', 3);
  assert.equal((await purchases.add(eves)).outcome, 'decided');
  await giveBack(postgres, { saleId: sale.id, kind: 'cancelled', restock: true, codes: [{ code: eves }] });
  assert.equal(await shelveReturns(redis, postgres, sale), true);
  await decideCodes(redis, sale, [(await cart(sale, 'bob', 1)).code]);
  await cart(sale, 'cleo', 2);
  return sale;
}

for (const name of Object.keys(keysOf('S')) as (keyof ReturnType<typeof keysOf>)[]) {
  test(`a sale whose key "${name}" is lost cannot be sold until it is rebuilt, and then all is right`, async () => {
    const sale = await openFullSale();
    assert.equal(await isSellable(redis, sale), true);
    await redis.command('DEL', keysOf(sale.id)[name]);
    assert.equal(await isSellable(redis, sale), false);
    const rebuilt = await rebuildSale(redis, postgres, sale.id, assert.fail);
    const again = { ...sale, epoch: rebuilt!.epoch };
    assert.equal(await isSellable(redis, again), true);
    assert.deepEqual(await auditSale(redis, postgres, sale.id), []);
    assert.equal((await cart(again, 'ada', 3)).outcome, 'limit');
    const { outcome } = await cart(again, 'cleo', 2);
    assert.equal(outcome, name === 'carts' || name === 'codes' ? 'added' : 'already-in-cart');
    const rows = await sql('select user_id from purchases where sale_id = $1 order by 1', sale.id);
    assert.deepEqual(
      rows.map((row) => row.user_id),
      ['ada', 'bob', 'dan'],
    );
  });
}

test('what the scripts count stays right through carts, purchases, losses and deletions', async () => {
  const sale = await openSale(stores, { items: 60, limit: 3 });
  const purchases = createPurchases({
    ...{ redis, postgres, sale: () => sale },
    ...{ onError: assert.ifError, forgetAfterMs: 0 },
  });
  for (let round = 0; round < 4; round++) {
    const carts = await Promise.all(
      Array.from({ length: 20 }, (_, i) => cart(sale, `u${i % 12}`, (round * 7 + i) % 60)),
    );
    const codes = carts.flatMap(({ code }, i) => (code !== '' && i % 3 !== 0 ? [code] : []));
    await Promise.all(codes.map((code) => purchases.add(code)));
    await until('it is forgotten', async () => (await redis.command('XLEN', keysOf(sale.id).outbox)) === 0);
    assert.equal(await isSellable(redis, sale), true, `round ${round}`);
  }
});
