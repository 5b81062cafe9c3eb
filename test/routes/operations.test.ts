import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keysOf } from '../../src/store/keys.ts';
import { startService } from '../support/service.ts';
import { addShelf, checkout, fillCart, purchase } from '../support/shop.ts';
import { connectStores } from '../support/stores.ts';

const service = await startService({ WORKERS: '2', LOG_LEVEL: 'debug', ADMIN_TOKEN: 'top-secret-token' });
const { http } = service;
const admin = { Authorization: 'Bearer top-secret-token' };

test('/health tells the state of the parts, uptime, memory and workers', async () => {
  const pids = await service.workers();
  const { status, body } = await http.get('/health');
  assert.equal(status, 200);
  assert.deepEqual(Object.keys(body), ['services_status', 'uptime', 'memory', 'workers']);
  assert.deepEqual(body.services_status, { app: 'UP', database: 'UP', redis: 'UP' });
  assert.match(body.uptime, /^(\d+h)?(\d+m)?\d+s$/);
  assert.deepEqual(Object.keys(body.memory), ['alloc', 'sys']);
  assert.ok(body.memory.alloc > 0 && body.memory.sys > body.memory.alloc);
  const tree = service.tree();
  for (const [slot, worker] of body.workers.entries()) {
    assert.deepEqual([worker.slot, worker.pid], [slot, pids[slot]]);
    assert.ok(tree.some(({ pid, command }) => pid === worker.pid && command.includes('worker/main.js')));
  }
});

test('/livez and /readyz are 200 while all is well', async () => {
  assert.deepEqual((await http.get('/livez')).body, { status: 'live' });
  const { status, body } = await http.get('/readyz');
  assert.deepEqual([status, body.status], [200, 'ready']);
  assert.ok(
    Object.values(body.checks).length >= 4 && Object.values(body.checks).every((check) => check === true),
  );
});

test('a sale whose gate is gone is 503 by itself, and the box stays ready', async () => {
  const { sale, items } = await addShelf(
    { ...http, post: (path, sent) => http.post(path, { ...sent, headers: admin }) },
    { total_items: 1 },
  );
  const { redis } = await connectStores(service.redisUrl, service.databaseUrl);
  let refused = 0;
  for (let i = 0; i < 20; i++) {
    await redis.command('DEL', keysOf(sale).gate);
    const reply = await checkout(http, `u${i}`, items[0]!, sale);
    if (reply.status === 503) refused++;
    assert.equal((await http.get('/readyz')).status, 200);
  }
  assert.ok(refused > 0);
});

test('HEAD works on all three', async () => {
  for (const path of ['/health', '/livez', '/readyz']) {
    const { status, text } = await http.send('HEAD', path);
    assert.deepEqual([status, text], [200, '']);
  }
});

test("a caller's well-formed X-Request-Id comes back; without one every answer has its own", async () => {
  const longest = `Az09._-${'x'.repeat(121)}`;
  for (const id of ['1', 'a.b_c-D', longest])
    assert.equal((await http.get('/livez', { 'X-Request-Id': id })).headers['x-request-id'], id);
  const given: string[] = [];
  for (const id of [undefined, undefined, '', 'a b', 'a/b', `${longest}x`, 'é']) {
    const { headers } = await http.get('/livez', id === undefined ? {} : { 'X-Request-Id': id });
    assert.match(String(headers['x-request-id']), /^[A-Za-z0-9._-]{1,128}$/);
    given.push(String(headers['x-request-id']));
  }
  assert.equal(new Set(given).size, given.length);
  assert.equal(
    (await checkout(http, 'ada', 'x', 'S-0000000000')).headers['x-request-id'] === undefined,
    false,
  );
});

test('the log names requests and their trace, and holds neither checkout codes nor tokens', async () => {
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  const created = await http.post('/admin/sales', { headers: admin, body: { total_items: 2 } });
  const { id: sale } = created.body.data;
  const { body: items } = await http.get(`/sales/${sale}/items`);
  const code = await fillCart(http, 'ada', [items[0].id], sale);
  await purchase(http, code, { 'X-Request-Id': 'buy-1', traceparent });
  await http.get(`/purchases/${code}`, { 'X-Request-Id': 'read-1' });
  const event = await service.saw('purchase');
  assert.equal(event.request_id, 'buy-1');
  assert.equal(event.trace_id, '4bf92f3577b34da6a3ce929d0e0e4736');
  assert.deepEqual([event.sale, event.bought, event.lost], [sale, 1, 0]);
  await service.saw('sale created');
  const text = JSON.stringify(service.log);
  const urls = [service.redisUrl, service.databaseUrl].map((url) => new URL(url).password);
  for (const secret of [code, 'top-secret-token', ...urls]) assert.ok(!text.includes(secret));
  assert.ok(!service.log.some((line) => 'raw' in line), 'every line is JSON');
});

test('an open admin API is warned about in the log', async () => {
  const { sale } = await (async () => {
    const open = await startService();
    await open.saw('the admin API is open: set ADMIN_TOKEN to close it');
    const shelf = await addShelf(open.http, { total_items: 1 });
    await open.stop();
    return shelf;
  })();
  assert.match(sale, /^S-/);
  assert.ok(!service.log.some((line) => line.msg?.includes('ADMIN_TOKEN')));
});
