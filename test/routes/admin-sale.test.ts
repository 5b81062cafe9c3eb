import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSale } from '../../src/store/sales.ts';
import { until } from '../support/processes.ts';
import { startService } from '../support/service.ts';
import { addShelf, assertProblem, checkout, fillCart, inSeconds, purchase } from '../support/shop.ts';
import { connectStores } from '../support/stores.ts';

const service = await startService({ WORKERS: '2' });
const { http } = service;
const stores = await connectStores(service.redisUrl, service.databaseUrl);

const at = (sale: string) => `/admin/sales/${sale}`;
const patch = (sale: string, body: unknown, headers = {}) => http.send('PATCH', at(sale), { body, headers });
const cancel = (sale: string, headers = {}) => http.send('DELETE', at(sale), { headers });
const scheduled = () =>
  addShelf(http, { total_items: 1, started_at: inSeconds(600), ended_at: inSeconds(1_200) });

test('a sale can be read with everything about it; its ETag changes with each change, not with what is sold', async () => {
  const { sale, items } = await addShelf(http, { total_items: 2, user_limit: 3 });
  const read = await http.get(at(sale));
  const { started_at, ended_at, ...rest } = read.body;
  assert.ok(Date.parse(started_at) < Date.parse(ended_at));
  assert.deepEqual(rest, {
    id: sale,
    total_items: 2,
    items_sold: 0,
    active: true,
    state: 'active',
    paused: false,
    hourly: false,
    user_limit: 3,
    version: 1,
  });
  assert.equal(read.headers.etag, '"1"');
  await purchase(http, await fillCart(http, 'ada', [items[0]!], sale));
  const again = await http.get(at(sale));
  assert.deepEqual([again.headers.etag, again.body.items_sold], ['"1"', 1]);
  assert.equal((await patch(sale, { user_limit: 4 })).headers.etag, '"2"');
  assertProblem(await http.get(at('S-0000000000')), 404, 'sale_not_found');
  assertProblem(await patch('S-0000000000', { paused: true }), 404, 'sale_not_found');
  assertProblem(await cancel('S-0000000000'), 404, 'sale_not_found');
});

test('a paused sale refuses checkouts and purchases, changes nothing, and goes on when it is resumed', async () => {
  const { sale, items } = await addShelf(http, { total_items: 4 });
  const bought = await fillCart(http, 'ada', [items[0]!], sale);
  assert.equal((await purchase(http, bought)).status, 200);
  const code = await fillCart(http, 'bob', [items[1]!], sale);
  assert.equal((await patch(sale, { paused: true })).body.state, 'paused');
  for (let i = 0; i < 10; i++) {
    for (const reply of [await checkout(http, `eve-${i}`, items[2]!, sale), await purchase(http, code)]) {
      assert.equal(reply.headers['retry-after'], '1');
      assert.deepEqual([reply.status, reply.body.code], [409, 'sale_paused']);
    }
  }
  assert.equal((await purchase(http, bought)).body.code, 'already_processed', 'what was decided stays known');
  assert.deepEqual(
    [(await http.get(`/sales/${sale}`)).body.state, (await http.get(`/sales/${sale}`)).body.active],
    ['paused', true],
  );
  const listed = async (state: string) =>
    (await http.get(`/sales?status=${state}`)).body.some(({ id }: { id: string }) => id === sale);
  assert.deepEqual([await listed('paused'), await listed('active')], [true, false]);
  await service.saw('sale paused');
  assert.equal((await patch(sale, { paused: true })).status, 200, 'twice is no error');
  assert.equal((await patch(sale, { paused: false })).body.state, 'active');
  assert.equal((await purchase(http, code)).status, 200, 'the code stayed good');
});

test('a sale can be given another name, which everybody reads', async () => {
  const { sale } = await addShelf(http, { total_items: 1, name: 'Drop' });
  assert.equal((await http.get(at(sale))).body.name, 'Drop');
  const named = await patch(sale, { name: 'Großer Drop' });
  assert.deepEqual([named.status, named.body.name, named.body.version], [200, 'Großer Drop', 2]);
  assert.equal((await http.get(`/sales/${sale}`)).body.name, 'Großer Drop');
  assert.equal((await patch(sale, { paused: false })).body.name, 'Großer Drop');
});

test('what was changed since it was read is not changed by accident', async () => {
  const { sale } = await addShelf(http, { total_items: 1 });
  assert.equal((await patch(sale, { paused: true }, { 'If-Match': '"1"' })).status, 200);
  assertProblem(await patch(sale, { paused: false }, { 'If-Match': '"1"' }), 412, 'precondition_failed');
  assertProblem(await patch(sale, { paused: false }, { 'If-Match': 'W/"2"' }), 412, 'precondition_failed');
  assert.equal((await http.get(at(sale))).body.paused, true);
  assert.equal((await patch(sale, { paused: false }, { 'If-Match': '"7", "2"' })).status, 200);
  assert.equal((await patch(sale, { paused: false }, { 'If-Match': '*' })).status, 200);
  const early = await scheduled();
  assertProblem(await cancel(early.sale, { 'If-Match': '"9"' }), 412, 'precondition_failed');
});

const BAD: [body: unknown, field: string][] = [
  [{ pausd: true }, 'pausd'],
  [{ total_items: 5 }, 'total_items'],
  [{ paused: 'yes' }, 'paused'],
  [{ paused: null }, 'paused'],
  [{ started_at: 'now' }, 'started_at'],
  [{ ended_at: 'tomorrow' }, 'ended_at'],
  [{ ended_at: '2020-01-01T00:00:00Z' }, 'ended_at'],
  [{ ended_at: inSeconds(8 * 86_400) }, 'ended_at'],
  [{ name: ' ' }, 'name'],
  [{ user_limit: 0 }, 'user_limit'],
  [{ user_limit: 101 }, 'user_limit'],
  [{}, 'body'],
  [[], 'body'],
];
test('a change that is not one is refused with the name of its field, and changes nothing', async () => {
  const { sale } = await addShelf(http, { total_items: 1 });
  for (const [body, field] of BAD) {
    const reply = await patch(sale, body);
    assertProblem(reply, 400, 'validation_failed', 'errors');
    assert.deepEqual(Object.keys(reply.body.errors), [field]);
  }
  assertProblem(await patch(sale, '{'), 415, 'unsupported_media_type');
  assertProblem(
    await http.send('PATCH', at(sale), { body: '{', headers: { 'Content-Type': 'application/json' } }),
    400,
    'malformed_request',
  );
  assert.equal((await http.get(at(sale))).body.version, 1);
});

test('an extended sale sells on, in Redis and in every worker; its carts say the new end', async () => {
  const { sale, items } = await addShelf(http, { total_items: 3, ended_at: inSeconds(2) });
  await until('the end', async () => (await http.get(`/sales/${sale}`)).body.state === 'ended');
  assertProblem(await checkout(http, 'ada', items[0]!, sale), 400, 'sale_not_active');
  assertProblem(await patch(sale, { paused: true }), 409, 'sale_state_conflict');
  assertProblem(await patch(sale, { ended_at: 'now' }), 409, 'sale_state_conflict');
  const end = '2'.concat(inSeconds(3_600).slice(1, 19), 'Z');
  assert.equal((await patch(sale, { ended_at: end })).body.ended_at, end);
  for (let i = 0; i < 10; i++)
    assert.equal((await checkout(http, `user-${i}`, items[0]!, sale)).body.sale_ends_at, end);
});

test('a sale that is ended now has ended when it is answered, and nothing was decided after its end', async () => {
  const { sale, items } = await addShelf(http, { total_items: 20, user_limit: 100 });
  let ended = false;
  const buying = (async () => {
    for (const item of items) {
      if (ended) break;
      const { body } = await checkout(http, 'ada', item, sale);
      if (typeof body.code === 'string' && body.code.startsWith('CHK-')) await purchase(http, body.code);
    }
  })();
  const reply = await patch(sale, { ended_at: 'now' });
  ended = true;
  assert.equal(reply.status, 200, reply.text);
  assertProblem(await checkout(http, 'bob', items[19]!, sale), 400, 'sale_not_active');
  assert.equal((await http.get(`/sales/${sale}`)).body.state, 'ended');
  await buying;
  const late = await stores.sql(
    'select code from decisions d join sales s on s.id = d.sale_id where s.id = $1 and decided_at >= ends_at',
    sale,
  );
  assert.deepEqual(late, []);
});

test('the state of a sale forbids what would change what was promised', async () => {
  const { sale } = await addShelf(http, { total_items: 1, user_limit: 5 });
  const forbidden = [
    await patch(sale, { started_at: inSeconds(60) }),
    await patch(sale, { user_limit: 4 }),
    await cancel(sale),
  ];
  for (const reply of forbidden) assertProblem(reply, 409, 'sale_state_conflict');
  assert.equal((await http.get(at(sale))).body.version, 1);
  const raised = await patch(sale, { user_limit: 6 });
  assert.deepEqual([raised.status, raised.body.user_limit], [200, 6]);
  const early = await scheduled();
  const moved = await patch(early.sale, { started_at: inSeconds(900), user_limit: 1 });
  assert.deepEqual([moved.status, moved.body.state, moved.body.user_limit], [200, 'scheduled', 1]);
  assertProblem(
    await patch(early.sale, { started_at: inSeconds(2_000) }),
    400,
    'validation_failed',
    'errors',
  );
  assertProblem(await patch(early.sale, { ended_at: 'now' }), 409, 'sale_state_conflict');
});

test('a scheduled sale can be cancelled: it never opens, and stays in the list', async () => {
  const { sale, items } = await addShelf(http, {
    total_items: 1,
    started_at: inSeconds(3),
    ended_at: inSeconds(600),
  });
  const gone = await cancel(sale);
  assert.deepEqual([gone.status, gone.body.state, gone.body.active], [200, 'cancelled', false], gone.text);
  assertProblem(await cancel(sale), 409, 'sale_state_conflict');
  assertProblem(await patch(sale, { ended_at: inSeconds(600) }), 409, 'sale_state_conflict');
  await until('its start', () => Date.now() > Date.parse(gone.body.started_at) + 500);
  assertProblem(await checkout(http, 'ada', items[0]!, sale), 400, 'sale_not_active');
  const listed = (await http.get('/sales?status=cancelled')).body;
  assert.deepEqual(
    listed.map(({ id }: { id: string }) => id),
    [sale],
  );
  assert.deepEqual(await stores.sql('select type from events where sale_id = $1', sale), []);
});

test('the hour of a cancelled hourly sale stays empty', async () => {
  const [next] = (await http.get('/sales?status=scheduled')).body.filter(
    ({ started_at }: { started_at: string }) => started_at.endsWith(':00:00Z'),
  );
  assert.equal((await cancel(next.id)).status, 200);
  const startsAtMs = Date.parse(next.started_at);
  const hour = { startsAtMs, endsAtMs: startsAtMs + 3_600_000, total: 1, userLimit: 1, hourly: true };
  assert.equal(await createSale(stores.postgres, hour), undefined, 'as the scheduler would make it');
});

test('while Redis is silent a change is 503; the leader carries it on', async () => {
  const { sale, items } = await addShelf(http, { total_items: 1 });
  const pids = service.server('redis').map(({ pid }) => pid);
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  try {
    assert.equal((await patch(sale, { paused: true })).status, 503);
  } finally {
    for (const pid of pids) process.kill(pid, 'SIGCONT');
  }
  await until(
    'the pause',
    async () => (await checkout(http, 'ada', items[0]!, sale)).body.code === 'sale_paused',
  );
  assert.equal((await http.get(at(sale))).body.state, 'paused');
});
