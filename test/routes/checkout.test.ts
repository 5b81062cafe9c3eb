import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../support/processes.ts';
import { startService } from '../support/service.ts';
import { addShelf, assertProblem, checkout, fillCart, inSeconds, purchase } from '../support/shop.ts';
import { connectStores } from '../support/stores.ts';

const service = await startService();
const { http } = service;
const { sql } = await connectStores(service.redisUrl, service.databaseUrl);
const shelf = await addShelf(http, { total_items: 40 });
const [first, second, third] = shelf.items as [string, string, string];

test('a checkout answers the code of the cart, its number of lines and the end of the sale', async () => {
  const { body: sale } = await http.get(`/sales/${shelf.sale}`);
  const reply = await checkout(http, 'ada', first, shelf.sale);
  assert.equal(reply.status, 200);
  assert.equal(reply.headers['content-type'], 'application/json');
  assert.deepEqual(Object.keys(reply.body), ['code', 'items_count', 'sale_ends_at']);
  assert.match(reply.body.code, new RegExp(`^CHK-${shelf.sale}-[0-9a-f]{32}$`));
  assert.equal(reply.body.items_count, 1);
  assert.equal(reply.body.sale_ends_at, sale.ended_at);
  assert.match(reply.body.sale_ends_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
});

test('a user keeps one code until the cart is purchased, and has another one afterwards', async () => {
  const codes = [];
  for (const item of [first, second]) codes.push((await checkout(http, 'bob', item, shelf.sale)).body);
  assert.equal(codes[0].code, codes[1].code);
  assert.deepEqual([codes[0].items_count, codes[1].items_count], [1, 2]);
  assert.equal((await purchase(http, codes[0].code)).status, 200);
  const next = (await checkout(http, 'bob', third, shelf.sale)).body;
  assert.notEqual(next.code, codes[0].code);
  assert.equal(next.items_count, 1);
});

test('without sale_id the hourly sale is meant', async () => {
  const { body: sale } = await http.get('/sales/active');
  const { body: items } = await http.get(`/sales/${sale.id}/items?limit=1`);
  const reply = await checkout(http, 'cleo', items[0].id);
  assert.equal(reply.status, 200);
  assert.match(reply.body.code, new RegExp(`^CHK-${sale.id}-`));
});

test('item_id is taken for id', async () => {
  const reply = await http.post(`/checkout?user_id=dora&item_id=${third}&sale_id=${shelf.sale}`);
  assert.equal(reply.status, 200);
  const again = await checkout(http, 'dora', third, shelf.sale);
  assert.equal(again.body.checkout_code, reply.body.code);
});

const LONG = 'x'.repeat(65);
const INVALID: Record<string, Record<string, RegExp>> = {
  // Older clients look for item_id.
  '': { user_id: /^user_id is required$/, id: /^id is required$/, item_id: /^item_id is required$/ },
  'user_id=ada': { id: /^id is required$/, item_id: /^item_id is required$/ },
  'user_id=ada&id=a&item_id=b': { item_id: /^item_id must be the same as id/ },
  'id=1': { user_id: /^user_id is required$/ },
  'user_id=&id=1': { user_id: /^user_id is required$/ },
  'user_id&id=1': { user_id: /^user_id is required$/ },
  'user_id=a%20b&id=1': { user_id: /^user_id must be 1 to 128 printable/ },
  'user_id=a%00&id=1': { user_id: /^user_id must be 1 to 128 printable/ },
  'user_id=ada&id=%C3%A9': { id: /^id must be 1 to 64 characters/ },
  [`user_id=ada&id=${LONG}`]: { id: /^id must be 1 to 64 characters/ },
  [`user_id=${LONG}${LONG}&id=1`]: { user_id: /^user_id must be 1 to 128 printable/ },
  'user_id=ada&user_id=bob&id=1': { user_id: /^user_id must be given once$/ },
  'user_id=ada&id=1&id=1': { id: /^id must be given once$/ },
  'user_id=ada&item_id=%2F': { item_id: /^item_id must be 1 to 64 characters/ },
  'user_id=ada&id=1&sale_id=%7B%7D': { sale_id: /^sale_id must be 1 to 64 characters/ },
  'user_id=ada&id=1&sale_id=a&sale_id=b': { sale_id: /^sale_id must be given once$/ },
};
for (const [query, sentences] of Object.entries(INVALID)) {
  test(`"${query.replace(LONG, '65 letters')}" is refused with a sentence for each bad field`, async () => {
    const reply = await http.post(`/checkout?${query}`);
    assertProblem(reply, 400, 'validation_failed', 'errors');
    assert.deepEqual(Object.keys(reply.body.errors), Object.keys(sentences));
    for (const [field, sentence] of Object.entries(sentences))
      assert.match(reply.body.errors[field], sentence);
  });
}

test('a checkout without a query at all is refused in the same way', async () => {
  const reply = await http.post('/checkout');
  assertProblem(reply, 400, 'validation_failed', 'errors');
  assert.deepEqual(Object.keys(reply.body.errors), ['user_id', 'id', 'item_id']);
});

test('an id of 64 characters of every kind is accepted', async () => {
  const user = `Az09._:-${'u'.repeat(56)}`;
  assert.equal((await checkout(http, user, shelf.items[30]!, shelf.sale)).status, 200);
});

test('an unknown sale is sale_not_found', async () => {
  assertProblem(await checkout(http, 'ada', first, 'S-0000000000'), 404, 'sale_not_found');
  assertProblem(await checkout(http, 'ada', first, 'nonsense'), 404, 'sale_not_found');
});

test('a sale that has not begun is sale_not_active', async () => {
  const early = await addShelf(http, {
    total_items: 1,
    started_at: inSeconds(3600),
    ended_at: inSeconds(7200),
  });
  assertProblem(await checkout(http, 'ada', early.items[0]!, early.sale), 400, 'sale_not_active');
});

test('a sale that has ended is sale_not_active, also when Redis has forgotten it', async () => {
  const short = await addShelf(http, { total_items: 1, ended_at: inSeconds(1) });
  await until('its end', async () => (await http.get(`/sales/${short.sale}`)).body.active === false);
  assertProblem(await checkout(http, 'ada', short.items[0]!, short.sale), 400, 'sale_not_active');
  await sql(
    `insert into sales (id, starts_at, ends_at, total, user_limit, hourly, retired)
     values ('S-00000000aa', now() - interval '2 h', now() - interval '1 h', 1, 1, false, true)`,
  );
  assertProblem(await checkout(http, 'ada', first, 'S-00000000aa'), 400, 'sale_not_active');
});

test('an item of no sale, or of another one, is item_not_found', async () => {
  const other = await addShelf(http, { total_items: 1 });
  for (const item of ['nothing', other.items[0]!])
    assertProblem(await checkout(http, 'ada', item, shelf.sale), 404, 'item_not_found');
});

test('a sold item is item_already_sold, and says so', async () => {
  const item = shelf.items[10]!;
  await purchase(http, await fillCart(http, 'eve', [item], shelf.sale));
  const reply = await checkout(http, 'fay', item, shelf.sale);
  assertProblem(reply, 409, 'item_already_sold');
  assert.match(reply.body.message, /already sold/);
});

test('a sale with nothing left is sale_sold_out', async () => {
  const small = await addShelf(http, { total_items: 1 });
  await purchase(http, await fillCart(http, 'eve', small.items, small.sale));
  assertProblem(await checkout(http, 'fay', small.items[0]!, small.sale), 409, 'sale_sold_out');
});

test('an item that is in the cart is already_in_checkout, with the code of the cart', async () => {
  const code = await fillCart(http, 'gus', [shelf.items[11]!], shelf.sale);
  const reply = await checkout(http, 'gus', shelf.items[11]!, shelf.sale);
  assertProblem(reply, 400, 'already_in_checkout', 'checkout_code');
  assert.match(reply.body.message, /already/);
  assert.equal(reply.body.checkout_code, code);
});

test('a cart that with the purchased items would pass the limit is user_limit_reached', async () => {
  const strict = await addShelf(http, { total_items: 5, user_limit: 2 });
  const [a, b, c, d] = strict.items as [string, string, string, string];
  await purchase(http, await fillCart(http, 'hal', [a], strict.sale));
  const code = await fillCart(http, 'hal', [b], strict.sale);
  const reply = await checkout(http, 'hal', c, strict.sale);
  assertProblem(reply, 400, 'user_limit_reached');
  assert.match(reply.body.message, /limit/);
  assert.equal((await purchase(http, code)).body.total_purchased, 1);
  assertProblem(await checkout(http, 'hal', d, strict.sale), 400, 'user_limit_reached');
  assert.equal((await checkout(http, 'ida', d, strict.sale)).status, 200);
});

test('every attempt is logged with its user, item, sale, outcome, code, worker and request', async () => {
  const item = shelf.items[20]!;
  const post = (id: string, query: string) =>
    http.post(`/checkout?${query}`, { headers: { 'X-Request-Id': id } });
  const taken = await post('log-1', `user_id=joe&id=${item}&sale_id=${shelf.sale}`);
  await post('log-2', `user_id=joe&id=${item}&sale_id=${shelf.sale}`);
  await post('log-3', 'user_id=joe');
  await post('log-4', `user_id=joe&id=${item}&sale_id=S-0000000000`);
  const rows = await until('four rows', async () => {
    const found = await sql(
      `select worker, sale_id, user_id, item_id, outcome, code, request_id, at > now() - interval '1 min' as recent
       from checkout_attempts where request_id like 'log-%' order by request_id`,
    );
    return found.length === 4 && found;
  });
  const { code } = taken.body;
  const base = { worker: 0, sale_id: shelf.sale, user_id: 'joe', item_id: item, recent: true };
  assert.deepEqual(rows, [
    { ...base, outcome: 'accepted', code, request_id: 'log-1' },
    { ...base, outcome: 'already_in_checkout', code, request_id: 'log-2' },
    { ...base, sale_id: null, item_id: null, outcome: 'validation_failed', code: null, request_id: 'log-3' },
    { ...base, sale_id: 'S-0000000000', outcome: 'sale_not_found', code: null, request_id: 'log-4' },
  ]);
});
