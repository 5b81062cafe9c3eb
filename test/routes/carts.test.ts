import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startService } from '../support/service.ts';
import { addShelf, assertProblem, fillCart, purchase } from '../support/shop.ts';

const service = await startService({ WORKERS: '2' });
const { http } = service;

const ITEMS = [
  { id: 'shirt', name: 'Shirt', stock: 5 },
  { id: 'mug', name: 'Mug' },
  { id: 'pen', name: 'Pen' },
];
const shop = (user_limit = 4) => addShelf(http, { items: ITEMS, user_limit });
const put = (sale: string, user: string, item: string, quantity?: number | string) =>
  http.post(
    `/checkout?user_id=${user}&id=${item}&sale_id=${sale}${quantity === undefined ? '' : `&quantity=${quantity}`}`,
  );
const linesOf = async (code: string) => (await http.get(`/carts/${code}`)).body.items;

test('a quantity sets the line, also of an item that is there; 0 takes it out; each answer is the cart as it is', async () => {
  const { sale } = await shop();
  const first = await put(sale, 'ada', 'shirt', 2);
  const { code } = first.body;
  assert.deepEqual([first.status, first.body.items_count], [200, 1]);
  assert.deepEqual((await put(sale, 'ada', 'mug')).body.items_count, 2);
  const read = await http.get(`/carts/${code}`);
  assert.equal(read.headers['cache-control'], 'no-store');
  assert.deepEqual(read.body, {
    code,
    sale_id: sale,
    items: [
      { id: 'shirt', name: 'Shirt', quantity: 2, available: true },
      { id: 'mug', name: 'Mug', available: true },
    ],
    items_count: 2,
  });
  assert.deepEqual((await put(sale, 'ada', 'shirt', 3)).body, { ...first.body, items_count: 2 });
  assertProblem(await put(sale, 'ada', 'shirt', 4), 400, 'user_limit_reached');
  assertProblem(await put(sale, 'ada', 'shirt'), 400, 'already_in_checkout', 'checkout_code');
  assert.deepEqual((await put(sale, 'ada', 'mug', 0)).body, first.body);
  assert.deepEqual((await put(sale, 'ada', 'mug', 0)).body, first.body, 'as it is, however often');
  const bought = await purchase(http, code);
  assert.deepEqual(bought.body.purchased_items, [{ id: 'shirt', name: 'Shirt', sold: true, quantity: 3 }]);
  assertProblem(await http.get(`/carts/${code}`), 404, 'checkout_not_found');
  assert.deepEqual((await http.get(`/sales/${sale}`)).body.items_sold, 3);
});

test('more units than are left are refused, and a line whose units are gone is not available, and can be taken out', async () => {
  const { sale } = await shop(10);
  const short = await put(sale, 'ada', 'shirt', 6);
  assertProblem(short, 409, 'item_already_sold');
  assert.match(short.body.message, /Fewer units are left/);
  const { code } = (await put(sale, 'ada', 'shirt', 5)).body;
  await purchase(http, (await put(sale, 'bob', 'shirt', 5)).body.code);
  assert.deepEqual(await linesOf(code), [{ id: 'shirt', name: 'Shirt', quantity: 5, available: false }]);
  assertProblem(await put(sale, 'ada', 'shirt', 1), 409, 'item_already_sold');
  const out = await put(sale, 'ada', 'shirt', 0);
  assert.deepEqual([out.status, out.body.items_count], [200, 0]);
  assert.deepEqual(await linesOf(code), []);
  assertProblem(await purchase(http, code), 404, 'checkout_not_found');
  assert.equal((await put(sale, 'ada', 'mug')).body.code, code, 'an empty cart keeps its code');
});

test('lines that are sold out do not count towards the limit', async () => {
  const { sale } = await shop(2);
  const code = await fillCart(http, 'ada', ['mug', 'pen'], sale);
  assertProblem(await put(sale, 'ada', 'shirt'), 400, 'user_limit_reached');
  await purchase(http, await fillCart(http, 'bob', ['mug', 'pen'], sale));
  assert.deepEqual((await put(sale, 'ada', 'shirt', 2)).body.items_count, 3);
  assertProblem(await put(sale, 'ada', 'shirt', 3), 400, 'user_limit_reached');
  const { body } = await purchase(http, code);
  assert.deepEqual([body.total_purchased, body.failed_count], [1, 2]);
});

test('a line can be taken out when all of the sale is sold', async () => {
  const { sale } = await addShelf(http, { items: [{ id: 'one', name: 'One' }] });
  const code = await fillCart(http, 'ada', ['one'], sale);
  await purchase(http, await fillCart(http, 'bob', ['one'], sale));
  assertProblem(await put(sale, 'ada', 'one', 1), 409, 'sale_sold_out');
  assert.equal((await put(sale, 'ada', 'one', 0)).body.items_count, 0);
  assert.deepEqual(await linesOf(code), []);
});

test('a quantity that is none is refused, and so is the cart of an unknown code', async () => {
  const { sale } = await shop();
  for (const quantity of ['-1', '1.5', 'two', '1000001', '1e3', '%201']) {
    const reply = await put(sale, 'ada', 'shirt', quantity);
    assertProblem(reply, 400, 'validation_failed', 'errors');
    assert.match(reply.body.errors.quantity, /^quantity must be a whole number from 0 to 1000000$/);
  }
  assert.equal((await put(sale, 'ada', 'mug', '')).status, 200, 'an empty one counts as none');
  for (const code of ['nonsense', `CHK-${sale}-${'0'.repeat(32)}`])
    assertProblem(await http.get(`/carts/${code}`), 404, 'checkout_not_found');
});
