import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keysOf } from '../../src/store/keys.ts';
import type { Reply } from '../support/http.ts';
import { until } from '../support/processes.ts';
import { startService } from '../support/service.ts';
import { addShelf, assertProblem, fillCart, inSeconds, purchase, receiptIn } from '../support/shop.ts';
import { connectStores } from '../support/stores.ts';

const service = await startService();
const { http } = service;
const { redis, sql } = await connectStores(service.redisUrl, service.databaseUrl);
const names = ['Rustic Lamp', 'Näive "Bowl"', ...Array.from({ length: 20 }, (_, i) => `Thing ${i}`)];
const shelf = await addShelf(http, { items: names.map((name) => ({ name })) });
let next = 0;
/** Items of the shelf that no test had before. */
const take = (count: number) => {
  next += count;
  return shelf.items.slice(next - count, next);
};
const line = (id: string, sold: boolean) => ({ id, name: names[shelf.items.indexOf(id)], sold });

test('a purchase answers every line of the cart, in the order added', async () => {
  const items = take(2).reverse();
  const reply = await purchase(http, await fillCart(http, 'ada', items, shelf.sale));
  assert.equal(reply.status, 200);
  assert.equal(reply.headers['content-type'], 'application/json');
  const purchased_items = items.map((id) => line(id, true));
  assert.deepEqual(reply.body, { success: true, purchased_items, total_purchased: 2, failed_count: 0 });
});

test('what is answered 200 is in Postgres by then', async () => {
  const [item = ''] = take(1);
  const code = await fillCart(http, 'bob', [item], shelf.sale);
  await purchase(http, code);
  assert.deepEqual(await sql('select sale_id, item_id, user_id from purchases where code = $1', code), [
    { sale_id: shelf.sale, item_id: item, user_id: 'bob' },
  ]);
  assert.deepEqual(await sql('select user_id, lines from decisions where code = $1', code), [
    { user_id: 'bob', lines: `+${item}` },
  ]);
});

test('a line that somebody else bought first is not sold and counts as failed', async () => {
  const [wanted = '', other = ''] = take(2);
  const late = await fillCart(http, 'cleo', [wanted, other], shelf.sale);
  await purchase(http, await fillCart(http, 'dora', [wanted], shelf.sale));
  const reply = await purchase(http, late);
  assert.equal(reply.status, 200);
  assert.deepEqual(reply.body, {
    success: true,
    purchased_items: [line(wanted, false), line(other, true)],
    total_purchased: 1,
    failed_count: 1,
  });
});

/** A cart whose only item somebody else buys first. */
async function lostCart(user: string): Promise<{ code: string; receipt: unknown }> {
  const [item = ''] = take(1);
  const code = await fillCart(http, user, [item], shelf.sale);
  await purchase(http, await fillCart(http, `${user}-rival`, [item], shelf.sale));
  const purchased_items = [line(item, false)];
  return { code, receipt: { success: false, purchased_items, total_purchased: 0, failed_count: 1 } };
}

test('a cart of which nothing is left is all_items_sold, and its code is spent', async () => {
  const { code, receipt } = await lostCart('eve');
  const reply = await purchase(http, code);
  assertProblem(reply, 409, 'all_items_sold', 'receipt');
  assert.deepEqual(reply.body.receipt, receipt);
  const again = await purchase(http, code);
  assertProblem(again, 409, 'already_processed', 'receipt');
  assert.deepEqual(again.body.receipt, receipt);
  assert.doesNotMatch(again.body.message, /bought/);
});

test('a code that was answered is already_processed with the same receipt, however often it is posted', async () => {
  const code = await fillCart(http, 'fay', take(2), shelf.sale);
  const { body } = await purchase(http, code);
  for (const reply of [await purchase(http, code), await purchase(http, code)]) {
    assertProblem(reply, 409, 'already_processed', 'receipt');
    assert.deepEqual(reply.body.receipt, body);
    assert.match(reply.body.message, /were bought/);
  }
});

test('with an Idempotency-Key the original answer comes again, marked as a replay', async () => {
  const bought = await fillCart(http, 'gus', take(1), shelf.sale);
  const { code: lost } = await lostCart('hal');
  const withoutId = ({ status, body }: Reply) => [status, { ...body, request_id: '' }];
  for (const [code, status] of [
    [bought, 200],
    [lost, 409],
  ] as const) {
    const first = await purchase(http, code, { 'Idempotency-Key': 'k1' });
    assert.equal(first.status, status);
    assert.equal(first.headers['idempotent-replayed'], undefined);
    const again = await purchase(http, code, { 'Idempotency-Key': 'k1' });
    assert.equal(again.headers['idempotent-replayed'], 'true');
    assert.deepEqual(withoutId(again), withoutId(first));
  }
});

test('nobody between the service and the buyer keeps a receipt', async () => {
  const code = await fillCart(http, 'kim', take(1), shelf.sale);
  const replies = [
    await purchase(http, code),
    await purchase(http, code),
    await purchase(http, code, { 'Idempotency-Key': '1' }),
    await http.get(`/purchases/${code}`),
  ];
  assert.deepEqual(
    replies.map(({ status, headers }) => [status, headers['cache-control']]),
    [200, 409, 200, 200].map((status) => [status, 'no-store']),
  );
});

test('GET /purchases/{code} has the receipt of a decided code, bought or lost', async () => {
  const code = await fillCart(http, 'ida', take(1), shelf.sale);
  assertProblem(await http.get(`/purchases/${code}`), 404, 'checkout_not_found');
  const { body } = await purchase(http, code);
  const receipt = await http.get(`/purchases/${code}`);
  assert.deepEqual([receipt.status, receiptIn(receipt)], [200, body]);
  const { code: lost, receipt: expected } = await lostCart('joe');
  await purchase(http, lost);
  assert.deepEqual(receiptIn(await http.get(`/purchases/${lost}`)), expected);
  const head = await http.send('HEAD', `/purchases/${code}`);
  assert.deepEqual([head.status, head.text], [200, '']);
});

test('a receipt outlives the sale in Redis', async () => {
  const short = await addShelf(http, { items: [{ name: 'Last Lamp' }] });
  const code = await fillCart(http, 'kim', short.items, short.sale);
  const { body } = await purchase(http, code);
  await sql(`update sales set retired = true where id = $1`, short.sale);
  const reply = await until('Redis is no longer asked', async () => {
    await redis.command('DEL', keysOf(short.sale).decisions);
    const found = await purchase(http, code);
    return found.status === 409 && found;
  });
  assertProblem(reply, 409, 'already_processed', 'receipt');
  assert.deepEqual(reply.body.receipt, body);
  assert.deepEqual(receiptIn(await http.get(`/purchases/${code}`)), body);
});

test('a missing, doubled or unreadable code is refused with the field named', async () => {
  for (const [query, sentence] of [
    ['', 'code is required'],
    ['code=', 'code is required'],
    ['code=a&code=a', 'code must be given once'],
    ['code=a%20b', 'code must be a checkout code'],
    [`code=${'x'.repeat(129)}`, 'code must be a checkout code'],
  ]) {
    const reply = await http.post(`/purchase?${query}`);
    assertProblem(reply, 400, 'validation_failed', 'errors');
    assert.deepEqual(reply.body.errors, { code: sentence });
  }
  assertProblem(await http.post('/purchase'), 400, 'validation_failed', 'errors');
});

test('every unknown code gets one and the same answer', async () => {
  const secret = await fillCart(http, 'lea', take(1), shelf.sale);
  const unknown = [
    'nonsense',
    `${secret.slice(0, -1)}${secret.endsWith('0') ? '1' : '0'}`,
    secret.toLowerCase(),
    `CHK-S-0000000000-${'0'.repeat(32)}`,
  ];
  const replies = [];
  for (const code of unknown) replies.push(await purchase(http, code, { 'X-Request-Id': 'same' }));
  for (const reply of replies) {
    assertProblem(reply, 404, 'checkout_not_found');
    assert.match(reply.body.message, /not found/);
    assert.equal(reply.text, replies[0]!.text);
  }
  for (const code of unknown) assertProblem(await http.get(`/purchases/${code}`), 404, 'checkout_not_found');
});

test('a receipt says what each item with a price costs: at first, again, and as long as it is kept', async () => {
  const items = [
    { id: 'r-1', name: 'Shirt', price: 3_900, stock: 3 },
    { id: 'r-2', name: 'Gift', price: 0 },
    { id: 'r-3', name: 'Vase' },
  ];
  const { sale } = await addShelf(http, { currency: 'EUR', items });
  const code = await fillCart(http, 'payer', ['r-1', 'r-2', 'r-3'], sale);
  assert.deepEqual(
    (await http.get(`/carts/${code}`)).body.items.map((line: { name: string }) => line.name),
    ['Shirt', 'Gift', 'Vase'],
  );
  const first = await purchase(http, code);
  const lines = [
    { id: 'r-1', name: 'Shirt', sold: true, price: 3_900 },
    { id: 'r-2', name: 'Gift', sold: true, price: 0 },
    { id: 'r-3', name: 'Vase', sold: true },
  ];
  assert.deepEqual(first.body.purchased_items, lines);
  assert.deepEqual((await purchase(http, code)).body.receipt, first.body);
  assert.deepEqual((await http.get(`/purchases/${code}`)).body.purchased_items, lines);
});

test('a purchase past the limit changes nothing', async () => {
  const [item = ''] = take(1);
  const code = await fillCart(http, 'max', [item], shelf.sale);
  // Checkouts keep a cart within the limit, so only a Redis with old carts can come to this.
  const { bought, sale } = keysOf(shelf.sale);
  await redis.command('HSET', bought, 'max', '10');
  await redis.command('HINCRBY', sale, 'buyers', '1');
  const reply = await purchase(http, code);
  assertProblem(reply, 400, 'user_limit_reached');
  assert.match(reply.body.message, /limit/);
  await redis.command('HDEL', bought, 'max');
  await redis.command('HINCRBY', sale, 'buyers', '-1');
  assert.deepEqual((await purchase(http, code)).body.purchased_items, [line(item, true)]);
});

test('a purchase after the end is sale_not_active, and the item stays unsold', async () => {
  const short = await addShelf(http, { total_items: 2, ended_at: inSeconds(1.5) });
  const [item = '', bought = ''] = short.items;
  const [code, early] = [
    await fillCart(http, 'ned', [item], short.sale),
    await fillCart(http, 'oda', [bought], short.sale),
  ];
  assert.equal((await purchase(http, early)).status, 200);
  await until('its end', async () => (await http.get(`/sales/${short.sale}`)).body.active === false);
  assertProblem(await purchase(http, code), 400, 'sale_not_active');
  const { body } = await http.get(`/sales/${short.sale}/items`);
  assert.deepEqual(
    body.map((each: { sold: boolean }) => each.sold),
    [false, true],
  );
  assertProblem(await purchase(http, early), 409, 'already_processed', 'receipt');
});
