import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCheckouts } from '../../src/store/checkouts.ts';
import { commitDecisions } from '../../src/store/commit.ts';
import { decideCodes } from '../../src/store/decide.ts';
import { Unavailable } from '../../src/store/errors.ts';
import { keysOf } from '../../src/store/keys.ts';
import { sweepOutbox } from '../../src/store/outbox.ts';
import { createPurchases, type PurchaseResult } from '../../src/store/purchases.ts';
import { rebuildSale } from '../../src/store/rebuild.ts';
import { until } from '../support/processes.ts';
import { openSale, openStores, type TestSale } from '../support/stores.ts';

const stores = await openStores();
const { redis, postgres, sql } = stores;

const cart = async (sale: TestSale, userId: string, ...items: number[]) => {
  const checkouts = createCheckouts(redis, () => sale);
  const results = await Promise.all(
    items.map((item) => checkouts.add({ userId, itemId: sale.itemIds[item]! })),
  );
  return results[0]!.code;
};
/** Postgres holds the item, and Redis goes on selling it. */
const sellBehind = (sale: TestSale, item: number) =>
  sql("insert into purchases values ($1, $2, 'CHK-x', 'eve', now())", sale.id, sale.itemIds[item]);
const gateOf = async (sale: TestSale) => String(await redis.command('GET', keysOf(sale.id).gate));
const outcomes = (results: readonly PurchaseResult[]) => results.map(({ outcome }) => outcome);

test('a code that contradicts its row is unknown; the rest of its batch is bought, and the sale is rebuilt', async () => {
  const sale = await openSale(stores, { items: 60 });
  await sellBehind(sale, 17);
  const codes = await Promise.all(Array.from({ length: 50 }, (_, i) => cart(sale, `u${i}`, i)));
  const errors: unknown[] = [];
  const purchases = createPurchases({ redis, postgres, sale: () => sale, onError: (e) => errors.push(e) });
  const results = await Promise.all(codes.map((code) => purchases.add(code)));
  assert.deepEqual(
    outcomes(results),
    codes.map((_, i) => (i === 17 ? 'unknown' : 'decided')),
  );
  assert.equal(errors.length, 1);
  await until('the gate is shut', async () => (await gateOf(sale)).startsWith('doubted:v1:'));
  await assert.rejects(purchases.add(codes[0]!), Unavailable);

  const contradictions: string[] = [];
  const rebuilt = await rebuildSale(redis, postgres, sale.id, ({ code }) => contradictions.push(code));
  assert.deepEqual([rebuilt?.doubted, contradictions], [true, [codes[17]]]);
  const healed = { ...sale, epoch: rebuilt!.epoch };
  const after = createPurchases({ redis, postgres, sale: () => healed, onError: assert.ifError });
  const again = await Promise.all(codes.slice(15, 20).map((code) => after.add(code)));
  assert.deepEqual(outcomes(again), [
    'decided-before',
    'decided-before',
    'no-code',
    'decided-before',
    'decided-before',
  ]);
});

test('the sweeper goes on behind entries that contradict Postgres, however many', async () => {
  const sale = await openSale(stores, { items: 60 });
  for (let i = 0; i < 45; i++) {
    if (i < 40) await sellBehind(sale, i);
    await decideCodes(redis, sale, [await cart(sale, `u${i}`, i)]);
  }
  const refused = new Set<string>();
  await until('the sweep', async () => {
    await sweepOutbox(redis, postgres, sale, 0, ({ code }) => refused.add(code));
    return (await gateOf(sale)).startsWith('doubted:');
  });
  assert.equal(refused.size, 40);
  const rows = await sql("select 1 from purchases where sale_id = $1 and user_id <> 'eve'", sale.id);
  assert.equal(rows.length, 5);
});

test('the answer is the committed row, also where Redis says otherwise; and then Redis is rebuilt', async () => {
  const sale = await openSale(stores);
  const [a = '', b = ''] = sale.itemIds;
  const code = await cart(sale, 'ada', 0, 1);
  const committed = {
    code,
    saleId: sale.id,
    userId: 'ada',
    decidedMs: Date.now(),
    lines: [`+${a}`, `+${b}`],
  };
  await commitDecisions(postgres, sale, [committed]);
  await redis.command('HSET', keysOf(sale.id).items, a, '0');
  const purchases = createPurchases({ redis, postgres, sale: () => sale, onError: assert.ifError });
  const result = await purchases.add(code);
  assert.ok('decision' in result);
  assert.deepEqual(result.decision.lines, [`+${a}`, `+${b}`]);
  assert.deepEqual(result.names, await redis.command('HMGET', keysOf(sale.id).names, a, b));
  await until('the gate is shut', async () => (await gateOf(sale)).startsWith('doubted:'));
});
