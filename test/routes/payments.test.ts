import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../support/processes.ts';
import { startService } from '../support/service.ts';
import { addShelf, assertProblem, fillCart, purchase, receiptIn } from '../support/shop.ts';
import { connectStores } from '../support/stores.ts';

const TOKEN = { Authorization: 'Bearer s3cret' };
const service = await startService({ WORKERS: '2', EVENTS: 'on', ADMIN_TOKEN: 's3cret' });
const { http } = service;
const { sql } = await connectStores(service.redisUrl, service.databaseUrl);
const NAMES = Array.from({ length: 40 }, (_, i) => `Thing ${i}`);
const shelf = await addShelf(http, { payment_seconds: 600, items: NAMES.map((name) => ({ name })) }, TOKEN);
const plain = await addShelf(http, { total_items: 5 }, TOKEN);
let next = 0;
const take = (count: number) => {
  next += count;
  return shelf.items.slice(next - count, next);
};
const buy = async (user: string, items = take(1), sale = shelf.sale) => {
  const code = await fillCart(http, user, items, sale);
  return { code, reply: await purchase(http, code) };
};
const post = (path: string, body?: unknown, headers: Record<string, string> = {}) =>
  http.post(`/admin/purchases/${path}`, {
    headers: { ...TOKEN, ...headers },
    ...(body !== undefined && { body }),
  });

test('a sale says its payment window where it is read by itself, and sales without one are as ever', async () => {
  for (const path of ['/sales/', '/admin/sales/']) {
    assert.equal((await http.get(path + shelf.sale, TOKEN)).body.payment_seconds, 600);
    assert.equal('payment_seconds' in (await http.get(path + plain.sale, TOKEN)).body, false);
  }
  for (const payment_seconds of [9, 86_401, 60.5, '60', null]) {
    const refused = await http.post('/admin/sales', {
      body: { total_items: 1, payment_seconds },
      headers: TOKEN,
    });
    assertProblem(refused, 400, 'validation_failed', 'errors');
    assert.match(refused.body.errors.payment_seconds, /a whole number from 10 to 86400/);
  }
  const headers = { ...TOKEN, 'Content-Type': 'text/csv' };
  const table = await http.post('/admin/sales?payment_seconds=10', { headers, body: 'name\nLamp\n' });
  assert.equal((await http.get(`/sales/${table.body.data.id}`)).body.payment_seconds, 10);
});

test('a purchase is pending until its payment is due, whoever asks; without a window its answer is as ever', async () => {
  const began = Date.now();
  const { code, reply } = await buy('ada', take(2));
  assert.equal(reply.status, 200);
  assert.deepEqual(Object.keys(reply.body).slice(-2), ['failed_count', 'payment']);
  const { payment } = reply.body;
  assert.deepEqual(Object.keys(payment), ['state', 'due_at']);
  assert.equal(payment.state, 'pending');
  const due = Date.parse(payment.due_at);
  assert.ok(due >= began + 600_000 && due <= Date.now() + 600_000, payment.due_at);
  const again = await purchase(http, code);
  assertProblem(again, 409, 'already_processed', 'receipt');
  assert.deepEqual(again.body.receipt, reply.body);
  assert.deepEqual((await purchase(http, code, { 'Idempotency-Key': '1' })).body, reply.body);
  const receipt = await http.get(`/purchases/${code}`);
  assert.deepEqual([receiptIn(receipt), receipt.body.state], [reply.body, 'pending']);
  const final = await buy('ada', plain.items.slice(0, 1), plain.sale);
  assert.equal('payment' in final.reply.body, false);
  assert.equal((await http.get(`/purchases/${final.code}`)).body.state, 'final');
});

test('a payment is confirmed once and for all, and every answer says so from then on', async () => {
  const { code, reply } = await buy('bob');
  const confirmed = await post(`${code}/confirm`);
  assert.equal(confirmed.status, 200, confirmed.text);
  const payment = { ...reply.body.payment, state: 'confirmed' };
  assert.deepEqual(
    [confirmed.body.code, confirmed.body.user_id, confirmed.body.state, confirmed.body.payment],
    [code, 'bob', 'confirmed', payment],
  );
  assert.deepEqual((await post(`${code}/confirm`, {})).body, confirmed.body);
  assert.deepEqual((await purchase(http, code)).body.receipt, { ...reply.body, payment });
  const receipt = (await http.get(`/purchases/${code}`)).body;
  assert.deepEqual([receipt.state, receipt.payment], ['confirmed', payment]);
  const [row] = await sql('select state, settled_at >= due_at as late from payments where code = $1', code);
  assert.deepEqual(row, { state: 'confirmed', late: false });
});

test('with an Idempotency-Key the first answer comes again; with another request it is refused', async () => {
  const { code } = await buy('cid');
  const key = { 'Idempotency-Key': 'confirm-1' };
  const first = await post(`${code}/confirm`, undefined, key);
  const again = await post(`${code}/confirm`, undefined, key);
  assert.deepEqual([again.status, again.text], [200, first.text]);
  assert.equal(again.headers['idempotent-replayed'], 'true');
  assertProblem(await post(`${code}/confirm`, {}, key), 422, 'idempotency_mismatch');
});

test('what cannot be confirmed is refused, with a code that says why, and the key of a refusal stays free', async () => {
  const key = { 'Idempotency-Key': 'refused-1' };
  const unknown = `CHK-${shelf.sale}-${'0'.repeat(32)}`;
  for (const code of [unknown, 'nonsense', await fillCart(http, 'dora', take(1), shelf.sale)])
    assertProblem(await post(`${code}/confirm`, undefined, key), 404, 'checkout_not_found');
  const final = await buy('dora', plain.items.slice(1, 2), plain.sale);
  assertProblem(await post(`${final.code}/confirm`, undefined, key), 409, 'no_payment_window');
  const wanted = take(1);
  const late = await fillCart(http, 'eve', wanted, shelf.sale);
  await buy('dora', wanted);
  assertProblem(await purchase(http, late), 409, 'all_items_sold', 'receipt');
  assertProblem(await post(`${late}/confirm`, undefined, key), 409, 'nothing_bought');
  const { code } = await buy('eve');
  assert.equal((await post(`${code}/confirm`, undefined, key)).status, 200);
});

test('a payment that failed is released once, and each answer says what to do instead', async () => {
  const { code, reply } = await buy('hal', take(2));
  assertProblem(await post(`${code}/cancel`), 409, 'payment_pending');
  const released = await post(`${code}/release`);
  const payment = { ...reply.body.payment, state: 'released' };
  assert.deepEqual([released.status, released.body.state, released.body.payment], [200, 'released', payment]);
  assert.deepEqual((await post(`${code}/release`)).body, released.body);
  assertProblem(await post(`${code}/confirm`), 409, 'payment_released');
  assertProblem(await post(`${code}/cancel`), 409, 'payment_released');
  const receipt = (await http.get(`/purchases/${code}`)).body;
  assert.deepEqual([receipt.state, receipt.payment], ['released', payment]);
  assert.ok(receipt.purchased_items.every((line: object) => !('cancelled' in line)));
  assert.deepEqual(await sql('select 1 from purchases where code = $1', code), []);
  const { code: paid } = await buy('hal');
  await post(`${paid}/confirm`);
  assertProblem(await post(`${paid}/release`), 409, 'payment_confirmed');
  const final = await buy('hal', plain.items.slice(2, 3), plain.sale);
  assertProblem(await post(`${final.code}/release`), 409, 'no_payment_window');
  for (const none of [`CHK-${shelf.sale}-${'0'.repeat(32)}`, '%00', 'nonsense'])
    assertProblem(await post(`${none}/release`), 404, 'checkout_not_found');
});

test('what nobody pays in time is released by itself', async () => {
  const { code } = await buy('ida', take(2));
  await sql('update payments set due_at = now() where code = $1', code);
  await until('its release', async () => (await http.get(`/purchases/${code}`)).body.state === 'released');
  assert.deepEqual(await sql('select state from payments where code = $1', code), [{ state: 'expired' }]);
  assertProblem(await post(`${code}/confirm`), 409, 'payment_released');
  const { text } = await http.get('/metrics');
  for (const how of ['confirmed', 'released', 'expired'])
    assert.match(text, new RegExp(`^flashsale_payments_settled_total\\{how="${how}"\\} [1-9]`, 'm'));
  assert.match(text, new RegExp(`^flashsale_sale_items_held\\{sale="${shelf.sale}"\\} [0-9]`, 'm'));
  assert.match(text, /^flashsale_payments_due_age_seconds [0-9]/m);
});

test('a request that says more than it may is refused', async () => {
  const { code } = await buy('fay');
  for (const [body, field] of [
    [{ force: true }, 'force'],
    [[], 'body'],
  ] as const) {
    const reply = await post(`${code}/confirm`, body);
    assertProblem(reply, 400, 'validation_failed', 'errors');
    assert.deepEqual(Object.keys(reply.body.errors), [field]);
  }
  assertProblem(await post(`${code}/confirm?force=true`), 400, 'validation_failed', 'errors');
  assertProblem(
    await post(`${code}/confirm`, 'x', { 'Content-Type': 'text/plain' }),
    415,
    'unsupported_media_type',
  );
  assertProblem(await http.post(`/admin/purchases/${code}/confirm`), 401, 'unauthorized');
  assert.equal((await http.get(`/purchases/${code}`)).body.state, 'pending');
});

test('purchases are found by what has become of them', async () => {
  const { code: pending } = await buy('gus');
  const { code: confirmed } = await buy('gus');
  await post(`${confirmed}/confirm`);
  const list = async (query: string) =>
    (await http.get(`/admin/sales/${shelf.sale}/purchases?limit=1000&${query}`, TOKEN)).body.map(
      (row: { code: string; state: string }) => [row.code, row.state],
    );
  assert.deepEqual(await list('user_id=gus&state=pending'), [[pending, 'pending']]);
  assert.deepEqual(await list('user_id=gus&state=confirmed'), [[confirmed, 'confirmed']]);
  const all = await list('');
  for (const state of ['final', 'pending', 'confirmed', 'released'])
    assert.deepEqual(
      await list(`state=${state}`),
      all.filter(([, each]: string[]) => each === state),
    );
});

test('what is held for payments is told apart from what is sold, wherever a sale is read', async () => {
  const own = await addShelf(http, { payment_seconds: 600, total_items: 6 }, TOKEN);
  const codes: string[] = [];
  for (const [i, item] of own.items.slice(0, 4).entries())
    codes.push((await buy(`u${i}`, [item], own.sale)).code);
  const counts = async (path: string) => {
    const { body } = await http.get(path, TOKEN);
    const sale = Array.isArray(body) ? body.find(({ id }: { id: string }) => id === own.sale) : body;
    return [sale.items_sold, sale.items_held];
  };
  const everywhere = async (sold: number, held: number) => {
    await until('the count', async () => (await counts(`/sales/${own.sale}`))[1] === held);
    for (const path of [
      `/sales/${own.sale}`,
      `/admin/sales/${own.sale}`,
      '/sales?limit=1000',
      '/sales?status=active',
    ])
      assert.deepEqual(await counts(path), [sold, held], path);
  };
  await everywhere(0, 4);
  await post(`${codes[0]}/confirm`);
  await everywhere(1, 3);
  await post(`${codes[1]}/release`);
  await everywhere(1, 2);
  await sql('update payments set due_at = now() where sale_id = $1', own.sale);
  await everywhere(1, 0);
  for (const path of [`/sales/${plain.sale}`, `/admin/sales/${plain.sale}`])
    assert.equal('items_held' in (await http.get(path, TOKEN)).body, false);
});

test('what came back is bought by somebody else through every worker', async () => {
  const own = await addShelf(http, { payment_seconds: 600, total_items: 2, user_limit: 2 }, TOKEN);
  const { code } = await buy('ada', [...own.items], own.sale);
  const soldOut = () => http.post(`/checkout?user_id=bob&id=${own.items[0]}&sale_id=${own.sale}`);
  assert.match((await soldOut()).body.code, /sale_sold_out|item_already_sold/);
  await post(`${code}/release`);
  await until('the first item', async () => (await soldOut()).status === 200);
  const again = await until('both', async () => {
    const added = await http.post(`/checkout?user_id=bob&id=${own.items[1]}&sale_id=${own.sale}`);
    return added.status === 200 && added;
  });
  assert.equal((await purchase(http, again.body.code)).body.total_purchased, 2);
});
