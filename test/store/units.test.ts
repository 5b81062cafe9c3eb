import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditSale } from '../../src/store/audit/audit.ts';
import { createCheckouts, newCode } from '../../src/store/checkouts.ts';
import { commitDecisions, commitSound } from '../../src/store/commit.ts';
import { decideCodes } from '../../src/store/decide.ts';
import { type Decision, formatDecision, receiptOf } from '../../src/store/decision.ts';
import { listItems } from '../../src/store/items.ts';
import { keysOf } from '../../src/store/keys.ts';
import { createPurchases } from '../../src/store/purchases.ts';
import { rebuildSale } from '../../src/store/rebuild.ts';
import { findDecision } from '../../src/store/receipts.ts';
import { countSold, createSale, isSellable } from '../../src/store/sales.ts';
import { addSale, openSale, openStores, type TestSale } from '../support/stores.ts';

const stores = await openStores();
const { redis, postgres, sql } = stores;

const NAMED = [
  { id: 'shirt', name: 'Shirt', stock: 10 },
  { id: 'poster', name: 'Poster' },
];
const open = (limit = 20) => openSale(stores, { items: 11, limit, named: NAMED });
const audit = async (sale: TestSale) =>
  (await auditSale(redis, postgres, sale.id)).map(({ subject, problem }) => `${subject} ${problem}`);
const fill = (sale: TestSale, userId: string, itemId: string, quantity?: number) =>
  createCheckouts(redis, () => sale).add({ userId, itemId, quantity });
async function buy(sale: TestSale, userId: string, itemId: string, quantity?: number) {
  const { code } = await fill(sale, userId, itemId, quantity);
  const purchases = createPurchases({
    ...{ redis, postgres, sale: () => sale },
    ...{ onError: assert.ifError, forgetAfterMs: 0 },
  });
  const result = await purchases.add(code);
  assert.ok('decision' in result, result.outcome);
  return { code, lines: result.decision.lines, receipt: receiptOf(result.decision.lines, result.names) };
}
const receiptIn = async (code: string) => {
  const { decision, names } = (await findDecision(postgres, code))!;
  return receiptOf(decision.lines, names);
};
const rebuilt = async (sale: TestSale): Promise<TestSale> => {
  const { epoch } = (await rebuildSale(redis, postgres, sale.id, assert.fail))!;
  return { ...sale, epoch };
};
const heldUnits = async (sale: TestSale) =>
  (
    await sql(`select unit from purchases where sale_id = $1 and item_id = 'shirt' order by unit`, sale.id)
  ).map(({ unit }) => unit);
const decisionOf = (sale: TestSale, userId: string, ...lines: string[]): Decision => ({
  ...{ code: newCode(sale.id), saleId: sale.id, userId },
  ...{ decidedMs: 1_795_000_000_123, lines },
});

test('units are bought whole lines at a time, each a row; the receipt says how many when more than one was asked for', async () => {
  const sale = await open();
  const four = await buy(sale, 'ada', 'shirt', 4);
  assert.deepEqual(four.lines, ['+shirt@6-9']);
  assert.deepEqual(four.receipt, {
    success: true,
    purchased_items: [{ id: 'shirt', name: 'Shirt', sold: true, quantity: 4 }],
    total_purchased: 1,
    failed_count: 0,
  });
  assert.deepEqual(await receiptIn(four.code), four.receipt);
  assert.deepEqual(await heldUnits(sale), [6, 7, 8, 9]);
  const one = await buy(sale, 'bob', 'shirt');
  assert.deepEqual(one.receipt.purchased_items, [{ id: 'shirt', name: 'Shirt', sold: true }]);
  const plain = await buy(sale, 'bob', 'poster');
  assert.deepEqual(plain.lines, ['+poster'], 'a unique item is written as ever');
  const late = await fill(sale, 'cid', 'shirt', 5);
  await buy(sale, 'dan', 'shirt', 1);
  const { results } = await decideCodes(redis, sale, [late.code]);
  assert.deepEqual('decision' in results[0]! && results[0].decision.lines, ['-shirt*5']);
  assert.equal(await countSold(redis, sale.id), 7);
  assert.deepEqual(await audit(sale), []);
  assert.deepEqual(await listItems(postgres, { saleId: sale.id, limit: 5, availableOnly: true }), [
    { id: 'shirt', name: 'Shirt', image_url: '/items/shirt/image.svg', sold: false, stock: 10, left: 4 },
  ]);
});

test('the limit counts units', async () => {
  const sale = await open(5);
  assert.equal((await fill(sale, 'ada', 'shirt', 6)).outcome, 'limit');
  await buy(sale, 'ada', 'shirt', 3);
  assert.equal((await fill(sale, 'ada', 'shirt', 3)).outcome, 'limit');
  assert.equal((await fill(sale, 'ada', 'shirt', 2)).outcome, 'added');
  assert.equal((await fill(sale, 'ada', 'poster')).outcome, 'limit');
});

test('a rebuild restores what is left, and every free unit, also those between held ones', async () => {
  const sale = await open();
  const lost = await fill(sale, 'ada', 'shirt', 3);
  await decideCodes(redis, sale, [lost.code]);
  await buy(sale, 'bob', 'shirt', 2);
  // Ada's decision goes with Redis' memory: units 7 to 9 are free above those that bob holds.
  await redis.command('DEL', ...Object.values(keysOf(sale.id)));
  const again = await rebuilt(sale);
  const { items, free } = keysOf(sale.id);
  assert.equal(await redis.command('HGET', items, 'shirt'), '8');
  assert.deepEqual(await redis.command('ZRANGE', free, '0', '-1'), ['shirt@7', 'shirt@8', 'shirt@9']);
  assert.equal(await isSellable(redis, again), true);
  assert.deepEqual(await audit(again), []);
  assert.deepEqual((await buy(again, 'cid', 'shirt', 2)).lines, ['+shirt@7,8']);
  assert.deepEqual((await buy(again, 'cid', 'shirt', 3)).lines, ['+shirt@9,3-4']);
  assert.deepEqual(await audit(again), []);
  assert.deepEqual((await buy(again, 'cid', 'shirt', 3)).lines, ['+shirt@0-2']);
  assert.deepEqual(await heldUnits(sale), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.deepEqual(await audit(again), []);
});

test('gaps of many items, and one of thousands of units, are restored whole', async () => {
  const low = Array.from({ length: 30 }, (_, i) => `low-${i}`);
  const named = [
    { id: 'tall', name: 'Tall', stock: 2_500 },
    ...low.map((id) => ({ id, name: 'Low', stock: 3 })),
  ];
  const sale = await openSale(stores, { items: 2_590, limit: 100, named });
  await commitDecisions(postgres, sale, [decisionOf(sale, 'ada', '+tall@0', ...low.map((id) => `+${id}@1`))]);
  await rebuilt(sale);
  const free = (await redis.command('ZRANGE', keysOf(sale.id).free, '0', '-1')) as string[];
  const tall = Array.from({ length: 2_499 }, (_, i) => `tall@${i + 1}`);
  assert.deepEqual(free.toSorted(), [...tall, ...low.map((id) => `${id}@2`)].toSorted());
});

test('Postgres refuses a unit that is held, and one past the stock, whatever Redis says', async () => {
  const sale = await open();
  const first = decisionOf(sale, 'ada', '+shirt@3,5-6', '+poster');
  assert.ok(await commitDecisions(postgres, sale, [first]));
  assert.deepEqual(await heldUnits(sale), [3, 5, 6]);
  await assert.rejects(commitDecisions(postgres, sale, [decisionOf(sale, 'bob', '+shirt@4-5')]), {
    code: '23505',
  });
  await assert.rejects(commitDecisions(postgres, sale, [decisionOf(sale, 'bob', '+shirt@10')]), {
    code: '23514',
  });
  const [past, sound] = [decisionOf(sale, 'bob', '+shirt@9-10'), decisionOf(sale, 'cid', '+shirt@0')];
  const told: string[] = [];
  const known = await commitSound(postgres, sale, [past, sound], ({ code }) => void told.push(code));
  assert.deepEqual([...known!.contradicted], [past.code]);
  assert.deepEqual(told, [past.code], 'it hurts no other');
  assert.deepEqual(await heldUnits(sale), [0, 3, 5, 6]);
  assert.equal(formatDecision(first), '1795000000123 ada +shirt@3,5-6 +poster');
});

test('two sales have an item of one id: each has its own stock, buyers, names and receipts', async () => {
  const before = await open();
  const { code, receipt } = await buy(before, 'ada', 'shirt', 2);
  const again = await openSale(stores, { items: 3, named: [{ id: 'shirt', name: 'New shirt', stock: 3 }] });
  const other = await buy(again, 'ada', 'shirt', 3);
  assert.deepEqual(other.receipt.purchased_items, [
    { id: 'shirt', name: 'New shirt', sold: true, quantity: 3 },
  ]);
  assert.deepEqual(await receiptIn(code), receipt);
  const page = { saleId: before.id, limit: 5, availableOnly: false, after: 'shirt' };
  assert.deepEqual(
    (await listItems(postgres, page)).map(({ id }) => id),
    ['poster'],
  );
  for (const sale of [before, again]) assert.deepEqual(await audit(sale), []);
});

test('a stock that Redis counts wrongly, and a unit that is for sale and bought, are named', async () => {
  const sale = await open();
  await buy(sale, 'ada', 'shirt', 4);
  const { items, free } = keysOf(sale.id);
  const wrong = async (...words: string[]) => {
    await redis.command(...words);
    return (await audit(sale)).filter((line) => line.startsWith('shirt'));
  };
  const sentence = (left: number) =>
    `shirt has ${left} of 10 units left in Redis, but 4 are committed and 0 wait`;
  assert.deepEqual(await wrong('HSET', items, 'shirt', '7'), [sentence(7)]);
  assert.deepEqual(await wrong('HSET', items, 'shirt', '5'), [sentence(5)]);
  assert.deepEqual(await wrong('HSET', items, 'shirt', '6'), []);
  await sql(`update purchases set unit = 2 where sale_id = $1 and unit = 9`, sale.id);
  await sql(`update decisions set lines = '+shirt@2,6-8' where sale_id = $1`, sale.id);
  assert.deepEqual(await wrong('PING'), ['shirt has unit 2 for sale in Redis, and it is bought']);
  assert.deepEqual(await wrong('ZADD', free, '0', 'shirt@8'), [
    'shirt has unit 2 for sale in Redis, and it is bought',
  ]);
});

test('a sale that ran out of units is rebuilt sold out, and its total counts units', async () => {
  const sale = await openSale(stores, { items: 3, named: [{ id: 'mug', name: 'Mug', stock: 3 }] });
  await buy(sale, 'ada', 'mug', 3);
  const again = await rebuilt(sale);
  assert.equal((await fill(again, 'bob', 'mug')).outcome, 'sold-out');
  const facts = await redis.command('HMGET', keysOf(sale.id).sale, 'total', 'sold', 'items', 'gone');
  assert.deepEqual(facts, ['3', '3', '1', '1']);
});

test('a sale whose stocks do not sum up to its total cannot be opened', async () => {
  const sale = await addSale(stores, { items: 11, named: NAMED });
  await sql('update items set stock = 9 where stock = 10 and sale_id = $1', sale.id);
  await assert.rejects(
    rebuildSale(redis, postgres, sale.id, assert.fail),
    /has 10 units, and its total is 11/,
  );
  assert.ok(await createSale(postgres, { ...sale, items: NAMED }));
});
