import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startService } from '../support/service.ts';
import { addShelf, assertProblem, checkout, purchase } from '../support/shop.ts';
import { connectStores } from '../support/stores.ts';

/** POST /admin/purchases/{code}/cancel: what was bought is taken back. */
const service = await startService({ EVENTS: 'on' });
const { http } = service;
const { sql } = await connectStores(service.redisUrl, service.databaseUrl);
const ITEMS = [
  { id: 'shirt', name: 'Shirt', stock: 50, price: 3_900 },
  { id: 'mug', name: 'Mug', stock: 50 },
  ...Array.from({ length: 20 }, (_, i) => ({ id: `one-${i}`, name: `Thing ${i}` })),
];
const { sale } = await addShelf(http, { currency: 'EUR', user_limit: 10, items: ITEMS });

async function buy(user: string, cart: Record<string, number>, of = sale): Promise<string> {
  let code = '';
  for (const [item, quantity] of Object.entries(cart)) {
    const reply = await http.post(`/checkout?user_id=${user}&id=${item}&sale_id=${of}&quantity=${quantity}`);
    assert.equal(reply.status, 200, reply.text);
    code = reply.body.code;
  }
  assert.equal((await purchase(http, code)).status, 200);
  return code;
}
const cancel = (code: string, body?: unknown, headers: Record<string, string> = {}) =>
  http.post(`/admin/purchases/${code}/cancel`, { headers, ...(body !== undefined && { body }) });
const heldBy = async (code: string) =>
  (await sql('select count(*)::int as held from purchases where code = $1 and not withdrawn', code))[0]!.held;

test('all of a purchase is cancelled once: the limit has room, and every reading tells it', async () => {
  const code = await buy('ada', { shirt: 3, 'one-0': 1 });
  const done = await cancel(code, { reason: 'Broken in the warehouse' });
  assert.equal(done.status, 200, done.text);
  const [cancellation] = done.body.cancellations;
  assert.deepEqual(
    [done.body.state, cancellation.restocked, cancellation.reason],
    [...['cancelled', true, 'Broken in the warehouse']],
  );
  assert.deepEqual(cancellation.items, [
    { id: 'one-0', quantity: 1 },
    { id: 'shirt', quantity: 3 },
  ]);
  assert.deepEqual(done.body.purchased_items, [
    { id: 'shirt', name: 'Shirt', sold: true, quantity: 3, price: 3_900, cancelled: 3 },
    { id: 'one-0', name: 'Thing 0', sold: true, cancelled: 1 },
  ]);
  for (const body of [undefined, {}, { restock: false }, { items: [{ id: 'shirt' }] }])
    assert.deepEqual((await cancel(code, body)).body, done.body, 'again: the same story');
  const receipt = (await http.get(`/purchases/${code}`)).body;
  assert.deepEqual([receipt.state, receipt.purchased_items], ['cancelled', done.body.purchased_items]);
  assert.equal('cancellations' in receipt, false, 'what the shop notes is the shop’s');
  assert.equal(await heldBy(code), 0);
  assert.equal(await heldBy(await buy('ada', { mug: 10 })), 10);
});

test('lines and units are cancelled, until no more is left than was asked for', async () => {
  const code = await buy('bob', { shirt: 4, mug: 2, 'one-1': 1 });
  const first = await cancel(code, { items: [{ id: 'shirt', quantity: 1 }, { id: 'mug' }] });
  assert.deepEqual([first.status, first.body.state], [200, 'partly_cancelled']);
  assert.deepEqual(
    first.body.purchased_items.map(({ id, cancelled }: { id: string; cancelled?: number }) => [
      id,
      cancelled,
    ]),
    [
      ['shirt', 1],
      ['mug', 2],
      ['one-1', undefined],
    ],
  );
  assert.equal(await heldBy(code), 4);
  const tooMuch = await cancel(code, { items: [{ id: 'one-1' }, { id: 'shirt', quantity: 4 }] });
  assertProblem(tooMuch, 409, 'exceeds_purchase', 'left');
  assert.deepEqual(tooMuch.body.left, [
    { id: 'shirt', quantity: 3 },
    { id: 'mug', quantity: 0 },
    { id: 'one-1', quantity: 1 },
  ]);
  assertProblem(await cancel(code, { items: [{ id: 'one-2' }] }), 409, 'exceeds_purchase', 'left');
  assert.equal(await heldBy(code), 4, 'nothing happened');
  assert.equal(
    (await cancel(code, { items: [{ id: 'shirt', quantity: 2 }] })).body.purchased_items[0].cancelled,
    3,
  );
  const rest = await cancel(code);
  assert.deepEqual([rest.body.state, rest.body.cancellations.length], ['cancelled', 3]);
  assert.equal(await heldBy(code), 0);
});

test('with an Idempotency-Key a part is cancelled once; without one, each request takes its part', async () => {
  const code = await buy('cid', { shirt: 5 });
  const one = { items: [{ id: 'shirt', quantity: 1 }] };
  const key = { 'Idempotency-Key': 'cancel-1' };
  const first = await cancel(code, one, key);
  const again = await cancel(code, one, key);
  assert.deepEqual([again.text, again.headers['idempotent-replayed']], [first.text, 'true']);
  assert.equal(await heldBy(code), 4);
  await cancel(code, one);
  assert.equal(await heldBy(code), 3);
});

test('many at once take no more than there is', async () => {
  const code = await buy('dora', { mug: 6 });
  const replies = await Promise.all(
    Array.from({ length: 12 }, () => cancel(code, { items: [{ id: 'mug', quantity: 1 }] })),
  );
  const good = replies.filter(({ status }) => status === 200);
  for (const reply of replies.filter(({ status }) => status !== 200))
    assert.ok(['exceeds_purchase', 'overloaded'].includes(reply.body.code), reply.text);
  assert.equal(await heldBy(code), 6 - good.length);
  assert.equal((await sql('select 1 from returns where code = $1', code)).length, good.length);
});

test('without restocking nobody can have the units, and the limit has room all the same', async () => {
  const code = await buy('eve', { 'one-3': 1, mug: 9 });
  const done = await cancel(code, { restock: false, items: [{ id: 'one-3' }] });
  assert.deepEqual([done.status, done.body.cancellations[0].restocked], [200, false]);
  assert.equal((await checkout(http, 'fay', 'one-3', sale)).body.code, 'item_already_sold');
  assert.equal((await checkout(http, 'eve', 'one-4', sale)).status, 200);
});

test('a purchase of a sale that is over can be cancelled; nothing of it is for sale again', async () => {
  const ended = await addShelf(http, { items: [{ id: 'last', name: 'Last' }] });
  const code = await buy('gus', { last: 1 }, ended.sale);
  await sql(`update sales set retired = true, sold = 1 where id = $1`, ended.sale);
  assert.equal((await cancel(code)).body.state, 'cancelled');
  assert.equal((await sql('select sold from sales where id = $1', ended.sale))[0]!.sold, 0);
});

test('what cannot be cancelled is refused, and every fault of a body is named', async () => {
  assertProblem(await cancel(`CHK-${sale}-${'0'.repeat(32)}`), 404, 'checkout_not_found');
  const late = await checkout(http, 'hal', 'one-5', sale);
  const code = await buy('ida', { 'one-5': 1 });
  assertProblem(await purchase(http, late.body.code), 409, 'all_items_sold', 'receipt');
  assertProblem(await cancel(late.body.code), 409, 'nothing_bought');
  const faults: [unknown, string[]][] = [
    [[], ['body']],
    [{ item: 1, restock: 'no', reason: '' }, ['item', 'restock', 'reason']],
    [{ items: [] }, ['items']],
    [{ items: {} }, ['items']],
    [{ items: [7, { quantity: 1 }, { id: 'a b' }] }, ['items[0]', 'items[1].id', 'items[2].id']],
    [
      { items: [{ id: 'x', quantity: 0, colour: 1 }, { id: 'x' }] },
      ['items[0].colour', 'items[0].quantity', 'items[1].id'],
    ],
  ];
  for (const [body, fields] of faults) {
    const reply = await cancel(code, body);
    assertProblem(reply, 400, 'validation_failed', 'errors');
    assert.deepEqual(Object.keys(reply.body.errors), fields);
  }
  assertProblem(await cancel(code, 'x=1', { 'Content-Type': 'text/plain' }), 415, 'unsupported_media_type');
  assert.equal(await heldBy(code), 1);
});
