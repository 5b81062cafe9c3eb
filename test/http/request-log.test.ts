import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../support/processes.ts';
import { type LogLine, startService } from '../support/service.ts';
import { addShelf, checkout, fillCart, purchase } from '../support/shop.ts';

const service = await startService({ LOG_REQUESTS: 'info', LOG_REFUSALS: '0.1' });
const { http } = service;

/** The lines of requests with that id. */
const linesOf = (id: string) => service.log.filter((line) => line.request_id === id);
const lineOf = async (id: string): Promise<LogLine> => until(`a line of ${id}`, () => linesOf(id)[0]);
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

test('a request has one line that says what it was about and how it ended', async () => {
  const { sale, items } = await addShelf(http, { total_items: 3 });
  const url = `/checkout?user_id=ada&id=${items[0]}&sale_id=${sale}`;
  const headers = { 'X-Request-Id': 'c-1', traceparent: `00-${TRACE}-00f067aa0ba902b7-01` };
  assert.equal((await http.post(url, { headers })).status, 200);
  const { time, pid, ms, ...line } = await lineOf('c-1');
  assert.deepEqual(line, {
    ...{ level: 'info', process: 'worker-0', worker: 0, request_id: 'c-1', trace_id: TRACE, sale },
    ...{ handler: '/checkout', method: 'POST', status: 200, msg: 'request' },
  });
  assert.equal(pid, (await service.workers())[0]);
  assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.ok((ms as number) >= 0 && (ms as number) < 60_000);
  await http.get(`/sales/${sale}/items?limit=1`, { 'X-Request-Id': 'i-1' });
  const listing = await lineOf('i-1');
  assert.deepEqual([listing.handler, listing.path], ['/sales/:id/items', `/sales/${sale}/items`]);
  assert.equal(linesOf('c-1').length, 1);
});

test('a purchase has one line too, with what was bought and lost, and its code is in none', async () => {
  const { sale, items } = await addShelf(http, { total_items: 3 });
  const code = await fillCart(http, 'ada', items.slice(0, 2), sale);
  const other = await fillCart(http, 'bob', items.slice(1), sale);
  await purchase(http, code, { 'X-Request-Id': 'p-1' });
  await purchase(http, other, { 'X-Request-Id': 'p-2' });
  const { bought, lost, status, msg } = await lineOf('p-2');
  assert.deepEqual({ bought, lost, status, msg }, { bought: 1, lost: 1, status: 200, msg: 'purchase' });
  assert.equal((await lineOf('p-1')).bought, 2);
  const encoded = code.replaceAll('-', '%2D').replace('C', '%43');
  for (const path of [
    `/purchases/${code}`,
    `/purchases/${encoded}`,
    `/${code}/%zz`,
    `/x/${encoded}`,
    `/sales/${code}`,
  ])
    for (let i = 0; i < 10; i++) await http.get(path);
  await http.post(`/checkout?user_id=ada&id=x&sale_id=${code}`);
  for (let i = 0; i < 10; i++) await http.get('/sales', { 'X-Request-Id': code });
  await http.get('/sales', { 'X-Request-Id': 'last' });
  await lineOf('last');
  const secret = code.slice(-32);
  const text = service.log.map((line) => JSON.stringify(line)).join('\n');
  assert.ok(text.includes(code.slice(0, 17)));
  for (const hidden of [secret, secret.slice(0, 24), secret.slice(8)]) assert.ok(!text.includes(hidden));
});

test('the ticket of a queue is in no line, but for what it says', async () => {
  const { sale } = await addShelf(http, { total_items: 1, queue: { admit_per_second: 0 } });
  const { ticket } = (await http.post(`/queue?user_id=ada&sale_id=${sale}`)).body;
  const encoded = ticket.replaceAll('.', '%2E');
  for (const [i, path] of [
    `/queue/${ticket}`,
    `/queue/${encoded}`,
    `/x/${ticket}`,
    `/${encoded}/%zz`,
  ].entries())
    await http.get(path, { 'X-Request-Id': `t-${i}` });
  await http.post(`/checkout?user_id=ada&id=x&sale_id=${sale}&ticket=${ticket}`, {
    headers: { 'X-Request-Id': 't-9' },
  });
  assert.ok(String((await lineOf('t-0')).path).startsWith(`/queue/${ticket.slice(0, 14)}`));
  await http.get('/sales', { 'X-Request-Id': 'last-ticket' });
  await lineOf('last-ticket');
  const signature = ticket.slice(ticket.lastIndexOf('.') + 1);
  const text = service.log.map((line) => JSON.stringify(line)).join('\n');
  for (const hidden of [signature, signature.slice(4)]) assert.ok(!text.includes(hidden));
});

test('of refusals every tenth has a line, and probes have none', async () => {
  const { sale, items } = await addShelf(http, { total_items: 2 });
  await purchase(http, await fillCart(http, 'ada', [items[0]!], sale));
  const before = service.log.length;
  for (let i = 0; i < 100; i++) assert.equal((await checkout(http, `u${i}`, items[0]!, sale)).status, 409);
  for (const path of ['/livez', '/readyz', '/metrics']) await http.get(path);
  await http.get('/sales', { 'X-Request-Id': 'after-refusals' });
  await lineOf('after-refusals');
  const lines = service.log.slice(before);
  assert.equal(lines.filter((line) => line.outcome === 'item_already_sold').length, 10);
  assert.equal(lines.filter((line) => /livez|readyz|metrics/.test(String(line.handler))).length, 0);
});

test('slow requests and purchases have their lines at any setting, others only at theirs', async () => {
  const quiet = await startService({ LOG_REQUESTS: 'debug', SLOW_REQUEST_MS: '1', LOG_REFUSALS: '0' });
  const { sale, items } = await addShelf(quiet.http, { total_items: 1 });
  const { headers } = await purchase(quiet.http, await fillCart(quiet.http, 'ada', items, sale));
  const line = await until('the purchase', () => quiet.log.find((each) => each.msg === 'purchase'));
  assert.equal(line.request_id, headers['x-request-id']);
  await until('a slow one', () =>
    quiet.log.find((each) => each.level === 'warn' && (each.ms as number) >= 1),
  );
  for (let i = 0; i < 50; i++) await checkout(quiet.http, `u${i}`, items[0]!, sale);
  await quiet.stop();
  const requests = quiet.log.filter((each) => each.msg === 'request');
  assert.deepEqual(
    requests.filter((each) => each.level !== 'warn'),
    [],
  );
});

test('a sale leaves its events: scheduled, loaded, open, sold out', async () => {
  const scheduled = await service.saw('sale scheduled');
  const { sale, items } = await addShelf(http, { total_items: 1 });
  await purchase(http, await fillCart(http, 'ada', items, sale));
  for (const msg of ['sale created', 'sale loaded', 'sale open', 'sale sold out'])
    await until(`${msg} of ${sale}`, () =>
      service.log.find((line) => line.msg === msg && line.sale === sale),
    );
  assert.match(String(scheduled.sale), /^S-/);
});
