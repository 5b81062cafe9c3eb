import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../support/processes.ts';
import { startService } from '../support/service.ts';
import { addShelf, assertProblem, checkout, fillCart, inSeconds, purchase } from '../support/shop.ts';
import { connectStores } from '../support/stores.ts';

const service = await startService();
const { http } = service;
const { sql } = await connectStores(service.redisUrl, service.databaseUrl);
const FIELDS = ['id', 'started_at', 'ended_at', 'total_items', 'items_sold', 'active', 'state'];
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$/;

test('GET /sales/active is the hourly sale of this hour', async () => {
  const { status, headers, body } = await http.get('/sales/active');
  assert.deepEqual([status, headers['content-type']], [200, 'application/json']);
  assert.deepEqual(Object.keys(body), FIELDS);
  assert.match(body.id, /^S-[0-9a-f]{10}$/);
  assert.deepEqual([body.total_items, body.items_sold, body.active], [50, 0, true]);
  assert.match(body.started_at, /:00:00Z$/);
  assert.equal(Date.parse(body.ended_at) - Date.parse(body.started_at), 3_600_000);
  assert.ok(Date.parse(body.started_at) <= Date.now());
});

test('GET /sales/{id} shows any sale, and computes whether it is active', async () => {
  const { sale } = await addShelf(http, { total_items: 3, ended_at: inSeconds(1) });
  const open = await http.get(`/sales/${sale}`);
  assert.deepEqual(Object.keys(open.body), [...FIELDS, 'user_limit']);
  assert.equal(open.body.user_limit, 10);
  assert.deepEqual([open.status, open.body.id, open.body.active], [200, sale, true]);
  for (const time of [open.body.started_at, open.body.ended_at]) assert.match(time, TIME);
  const ended = await until('its end', async () => {
    const { body } = await http.get(`/sales/${sale}`);
    return body.active === false && body;
  });
  assert.deepEqual(ended, { ...open.body, active: false, state: 'ended' });
});

test('what is read of sales may be kept for a second', async () => {
  const { sale } = await addShelf(http, { total_items: 1 });
  for (const path of ['/sales', '/sales/active', `/sales/${sale}`, `/sales/${sale}/items`])
    assert.equal((await http.get(path)).headers['cache-control'], 'max-age=1', path);
});

test('following the links of the listing leads to every sale once, newest first', async () => {
  for (let i = 0; i < 4; i++) await addShelf(http, { total_items: 1 });
  const ids: string[] = [];
  for (let next: string | undefined = '/sales?limit=2&status=active'; next; ) {
    const { headers, body } = await http.get(next);
    ids.push(...body.map(({ id }: { id: string }) => id));
    next = /^<([^>]+)>; rel="next"$/.exec(String(headers.link ?? ''))?.[1];
  }
  const all = await http.get('/sales?status=active&limit=1000');
  assert.ok(ids.length > 4);
  assert.deepEqual(
    ids,
    all.body.map(({ id }: { id: string }) => id),
  );
  for (const after of ['S-0000000000', 'x']) {
    const reply = await http.get(`/sales?after=${after}`);
    assertProblem(reply, 400, 'validation_failed', 'errors');
    assert.deepEqual(Object.keys(reply.body.errors), ['after']);
  }
});

test('a listing obeys its limit, and refuses a parameter that it does not know by its name', async () => {
  await addShelf(http, { total_items: 1 });
  assert.equal((await http.get('/sales?limit=2')).body.length, 2);
  for (const [target, name] of [
    ['/sales?limt=2', 'limt'],
    ['/sales?Status=active', 'Status'],
    ['/sales/S-0000000000/items?availble=true', 'availble'],
    ['/sales?limit=0', 'limit'],
  ] as const) {
    const reply = await http.get(target);
    assertProblem(reply, 400, 'validation_failed', 'errors');
    assert.deepEqual(Object.keys(reply.body.errors), [name]);
  }
});

test('items_sold counts what was purchased, at once', async () => {
  const { sale, items } = await addShelf(http, { total_items: 5 });
  await purchase(http, await fillCart(http, 'ada', items.slice(0, 2), sale));
  assert.equal((await http.get(`/sales/${sale}`)).body.items_sold, 2);
  await checkout(http, 'bob', items[2]!, sale);
  assert.equal((await http.get(`/sales/${sale}`)).body.items_sold, 2);
});

test('a sale that is not there is sale_not_found', async () => {
  for (const id of ['S-0000000000', 'nonsense', '%zz', '%00', 'S-0000000000%2Fitems'])
    assertProblem(await http.get(`/sales/${id}`), 404, 'sale_not_found');
  assertProblem(await http.get('/sales/S-0000000000/items'), 404, 'sale_not_found');
});

test('GET /sales lists all sales, newest first, and those of one status', async () => {
  const { sale: scheduled } = await addShelf(http, {
    total_items: 1,
    started_at: inSeconds(7_200),
    ended_at: inSeconds(9_000),
  });
  const { sale: ended } = await addShelf(http, { total_items: 1, ended_at: inSeconds(0.5) });
  await until('its end', async () => (await http.get(`/sales/${ended}`)).body.active === false);
  const idsOf = async (query: string) => {
    const { status, body } = await http.get(`/sales${query}`);
    assert.equal(status, 200);
    const starts = body.map((sale: { started_at: string }) => sale.started_at);
    assert.deepEqual(starts, [...starts].sort().reverse());
    for (const each of body) assert.deepEqual(Object.keys(each), FIELDS);
    return body.map((sale: { id: string }) => sale.id) as string[];
  };
  const active = (await http.get('/sales/active')).body.id;
  const all = await idsOf('');
  for (const id of [scheduled, active, ended]) assert.ok(all.includes(id));
  const holds = async (status: string) => {
    const ids = await idsOf(`?status=${status}`);
    return [scheduled, active, ended].map((id) => ids.includes(id));
  };
  assert.deepEqual(await holds('scheduled'), [true, false, false]);
  assert.deepEqual(await holds('active'), [false, true, false]);
  assert.deepEqual(await holds('ended'), [false, false, true]);
});

test('an unknown or doubled status is refused with the field named', async () => {
  for (const query of ['status=open', 'status=active&status=ended']) {
    const reply = await http.get(`/sales?${query}`);
    assertProblem(reply, 400, 'validation_failed', 'errors');
    assert.deepEqual(Object.keys(reply.body.errors), ['status']);
  }
});

test('HEAD answers as GET does, without a body', async () => {
  for (const path of ['/sales', '/sales/active', `/sales/${(await http.get('/sales/active')).body.id}`]) {
    const { status, headers, text } = await http.send('HEAD', path);
    assert.deepEqual([status, headers['content-type'], text], [200, 'application/json', '']);
  }
  assert.equal((await http.send('HEAD', '/sales/S-0000000000')).status, 404);
});

test('when no hourly sale is open there is no active sale, and checkouts without sale_id are sale_not_found', async () => {
  const { sale } = await addShelf(http, { total_items: 1 });
  const active = (await http.get('/sales/active')).body.id;
  const [before] = await sql('select ends_at from sales where id = $1', active);
  await sql('update sales set ends_at = now() where id = $1', active);
  const reply = await until('no active sale', async () => {
    const found = await http.get('/sales/active');
    return found.status !== 200 && found;
  });
  assertProblem(reply, 404, 'sale_not_found');
  assertProblem(await checkout(http, 'ada', 'anything'), 404, 'sale_not_found');
  assert.equal((await http.get(`/sales/${sale}`)).body.active, true);
  await sql('update sales set ends_at = $2 where id = $1', active, before!.ends_at);
  await until('the active sale is back', async () => (await http.get('/sales/active')).body.id === active);
});
