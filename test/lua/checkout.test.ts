import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCheckouts } from '../../src/store/checkouts.ts';
import { Fenced, Unavailable } from '../../src/store/errors.ts';
import { keysOf } from '../../src/store/keys.ts';
import { until } from '../support/processes.ts';
import { foreignGateOf, gateOf, openSale, openStores, type TestSale } from '../support/stores.ts';

const stores = await openStores();
const { redis } = stores;
const outcomeOf = (result: { outcome: string }) => result.outcome;

/** Puts the items into the user's cart, in one batch. */
const add = (sale: TestSale, user: string, ...items: string[]) => {
  const checkouts = createCheckouts(redis, () => sale);
  return Promise.all(items.map((itemId) => checkouts.add({ userId: user, itemId })));
};
/** How many scripts the server has run. */
async function scriptsRun(): Promise<number> {
  const stats = String(await redis.command('INFO', 'commandstats'));
  return [...stats.matchAll(/^cmdstat_eval(?:sha)?:calls=(\d+)/gm)].reduce(
    (sum, row) => sum + Number(row[1]),
    0,
  );
}

test('a batch of one adds a line to a new cart, under the code that is answered', async () => {
  const sale = await openSale(stores);
  const [item = ''] = sale.itemIds;
  const [result] = await add(sale, 'ada', item);
  assert.equal(result!.outcome, 'added');
  assert.equal(result!.lines, 1);
  const k = keysOf(sale.id);
  assert.equal(await redis.command('HGET', k.carts, 'ada'), `${result!.code} ${item} `);
  assert.equal(await redis.command('HGET', k.codes, result!.code), 'ada');
  assert.equal(await redis.command('HGET', k.items, item), '1', 'nothing is reserved');
});

test('one user twice in a batch gets one cart, one code and both lines', async () => {
  const sale = await openSale(stores);
  const [a = '', b = ''] = sale.itemIds;
  const [first, second, third] = await add(sale, 'ada', a, b, a);
  assert.deepEqual(
    [first, second, third].map((r) => r!.outcome),
    ['added', 'added', 'already-in-cart'],
  );
  assert.equal(new Set([first, second, third].map((r) => r!.code)).size, 1);
  assert.deepEqual([first!.lines, second!.lines, third!.lines], [1, 2, 2]);
  assert.equal(await redis.command('HLEN', keysOf(sale.id).codes), 1);
  assert.equal(await redis.command('HGET', keysOf(sale.id).carts, 'ada'), `${first!.code} ${a} ${b} `);
});

test('the code stays the same from batch to batch, and other users get others', async () => {
  const sale = await openSale(stores);
  const [a = '', b = ''] = sale.itemIds;
  const [[first], [second], [other]] = [
    await add(sale, 'ada', a),
    await add(sale, 'ada', b),
    await add(sale, 'bob', a),
  ];
  assert.equal(first!.code, second!.code);
  assert.equal(other!.outcome, 'added', 'an item in a cart stays for sale');
  assert.notEqual(other!.code, first!.code);
});

test('an item that begins like one in the cart is another item', async () => {
  const sale = await openSale(stores);
  await redis.command('HSET', keysOf(sale.id).items, 'lamp', '1', 'lamp1', '1', 'amp', '1');
  const results = await add(sale, 'ada', 'lamp1', 'lamp', 'amp');
  assert.deepEqual(results.map(outcomeOf), ['added', 'added', 'added']);
});

test('an unknown item, a sold one and one past the limit are refused, and the rest of the batch is not', async () => {
  const sale = await openSale(stores, { limit: 2, items: 6 });
  const [a = '', b = '', c = '', sold = ''] = sale.itemIds;
  await redis.command('HSET', keysOf(sale.id).items, sold, '0');
  const results = await add(sale, 'ada', 'nothing', sold, a, b, c, b);
  assert.deepEqual(results.map(outcomeOf), [
    'no-item',
    'item-sold',
    'added',
    'added',
    'limit',
    'already-in-cart',
  ]);
  assert.deepEqual(
    results.map(({ code }) => code !== ''),
    [false, false, true, true, false, true],
  );
});

test('where items are lost nobody is let in; else an unknown item is none of the sale', async () => {
  const sale = await openSale(stores);
  const { items } = keysOf(sale.id);
  const [lost = ''] = sale.itemIds;
  await redis.command('HDEL', items, lost);
  await assert.rejects(add(sale, 'ada', lost), Fenced);
  await redis.command('HSET', items, 'another', '1');
  assert.deepEqual((await add(sale, 'ada', lost)).map(outcomeOf), ['no-item']);
});

test('what was bought before counts against the limit', async () => {
  const sale = await openSale(stores, { limit: 3 });
  await redis.command('HSET', keysOf(sale.id).bought, 'ada', '2');
  const results = await add(sale, 'ada', ...sale.itemIds.slice(0, 2));
  assert.deepEqual(results.map(outcomeOf), ['added', 'limit']);
  assert.deepEqual((await add(sale, 'bob', ...sale.itemIds.slice(0, 4))).map(outcomeOf), [
    'added',
    'added',
    'added',
    'limit',
  ]);
});

test('a full batch travels as one script call, one operation more as two', async () => {
  const sale = await openSale(stores, { items: 300 });
  const checkouts = createCheckouts(redis, () => sale);
  for (const [count, calls] of [
    [256, 1],
    [257, 2],
  ] as const) {
    const before = await scriptsRun();
    const results = await Promise.all(
      Array.from({ length: count }, (_, i) =>
        checkouts.add({ userId: `u${count}-${i}`, itemId: sale.itemIds[i]! }),
      ),
    );
    assert.equal((await scriptsRun()) - before, calls);
    assert.deepEqual(new Set(results.map(outcomeOf)), new Set(['added']));
    assert.equal(new Set(results.map(({ code }) => code)).size, count);
    for (const [i, { code }] of results.entries())
      assert.equal(
        await redis.command('HGET', keysOf(sale.id).carts, `u${count}-${i}`),
        `${code} ${sale.itemIds[i]} `,
      );
  }
});

test('a sale with everything sold is sold out, whatever is asked for', async () => {
  const sale = await openSale(stores, { items: 1 });
  await redis.command('HSET', keysOf(sale.id).sale, 'sold', '1');
  assert.deepEqual((await add(sale, 'ada', sale.itemIds[0]!, 'nothing')).map(outcomeOf), [
    'sold-out',
    'sold-out',
  ]);
});

test("Redis' own time opens and closes a sale", async () => {
  const sale = await openSale(stores, { startsIn: 500, endsIn: 1_200 });
  const [item = ''] = sale.itemIds;
  const seen: string[] = [];
  await until('the end', async () => {
    const [result] = await add(sale, `user${seen.length}`, item);
    seen.push(result!.outcome);
    return result!.outcome === 'ended';
  });
  assert.deepEqual([...new Set(seen)], ['not-begun', 'added', 'ended']);
  assert.deepEqual(
    seen,
    [...seen].sort((a, b) => [...new Set(seen)].indexOf(a) - [...new Set(seen)].indexOf(b)),
  );
});

test('another epoch, another Redis process, a shut gate, no gate and no sale are fenced, and nothing is written', async () => {
  const sale = await openSale(stores);
  const k = keysOf(sale.id);
  const [item = ''] = sale.itemIds;
  const open = await gateOf(redis, sale.epoch);
  assert.equal(await redis.command('GET', k.gate), open);
  await assert.rejects(add({ ...sale, epoch: sale.epoch + 1 }, 'ada', item), Unavailable);
  for (const gate of [foreignGateOf(sale.epoch), `loading:${open}`, `${open} `]) {
    await redis.command('SET', k.gate, gate);
    await assert.rejects(add(sale, 'ada', item), Unavailable);
  }
  await redis.command('DEL', k.gate);
  await assert.rejects(add(sale, 'ada', item), Unavailable);
  await redis.command('SET', k.gate, open);
  await redis.command('DEL', k.sale);
  await assert.rejects(add(sale, 'ada', item), Unavailable);
  assert.equal(await redis.command('EXISTS', k.carts, k.codes), 0);
});
