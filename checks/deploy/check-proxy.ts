/**
 * `npm run check -- proxy`: deploy/nginx.conf in front of a real service. Needs root and Debian's nginx; takes some ten
 * seconds.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { atEnd } from '../../test/support/at-end.ts';
import { openHttp } from '../../test/support/http.ts';
import { until } from '../../test/support/processes.ts';
import { freePort, startService } from '../../test/support/service.ts';
import { addShelf, assertProblem, checkout, fillCart, purchase } from '../../test/support/shop.ts';
import { startNginx } from './nginx.ts';

const service = await startService({ WORKERS: '2' });
const nginx = await startNginx({ upstream: [service.port, await freePort()], rate: '9999r/s' });
const http = openHttp(nginx.url);
atEnd(http.close);
const shelf = await addShelf(http, { total_items: 400 });
const items = [...shelf.items];
const take = (count: number) => items.splice(0, count);

const connectionsTo = (port: number) =>
  spawnSync('ss', ['-Htn', 'state', 'established', `( sport = :${port} )`], { encoding: 'utf8' })
    .stdout.split('\n')
    .filter(Boolean).length;

test('a cart is filled and bought through TLS, by HTTP/1.1 and HTTP/2', async () => {
  const bought = await purchase(http, await fillCart(http, 'ada', take(2), shelf.sale));
  assert.equal(bought.status, 200, bought.text);
  assert.equal(bought.body.total_purchased, 2);
  assert.equal(bought.headers['strict-transport-security'], 'max-age=31536000');
  const curl = ['-sk', '--http2', '-w', '%{http_version} %{http_code}', '-o', '/dev/null'];
  const { stdout } = spawnSync('curl', [...curl, `${nginx.url}/sales/active`], { encoding: 'utf8' });
  assert.equal(stdout, '2 200');
});

test('plain HTTP is sent to HTTPS with its method', async () => {
  const plain = openHttp(nginx.plainUrl);
  const reply = await plain.post('/purchase?code=x');
  plain.close();
  assert.equal(reply.status, 308);
  assert.equal(reply.headers.location, `${nginx.url}/purchase?code=x`);
});

test("one request id is in the answer and in both logs, the caller's when it is well-formed", async () => {
  for (const [given, expected] of [
    ['from-the-caller.1', /^from-the-caller\.1$/],
    ['not "well" formed', /^[0-9a-f]{32}$/],
  ] as const) {
    const code = await fillCart(http, 'bob', take(1), shelf.sale);
    const id = (await purchase(http, code, { 'X-Request-Id': given })).headers['x-request-id'];
    assert.match(String(id), expected);
    const line = await until('nginx log line', () =>
      nginx.accessLog().find((each) => each.request_id === id),
    );
    assert.deepEqual([line.client, line.status, line.upstream_status], ['127.0.0.1', 200, '200']);
    await until('log line of the service', () => service.log.find((each) => each.request_id === id));
  }
});

test('no log of nginx holds a checkout code', async () => {
  const code = await fillCart(http, 'eve', take(1), shelf.sale);
  await purchase(http, code);
  assert.equal((await http.get(`/purchases/${code}`)).status, 200);
  const line = await until('the receipt', () =>
    nginx.accessLog().find(({ path }) => String(path).startsWith('/purchases/')),
  );
  assert.match(String(line.path), /^\/purchases\/CHK-S-[0-9a-f]{10}-\.\.\.$/);
  assert.doesNotMatch(JSON.stringify(nginx.accessLog()) + nginx.errorLog(), new RegExp(code));
});

test('connections to the service are kept', async () => {
  for (let i = 0; i < 50; i++) await http.get('/sales/active');
  assert.ok(connectionsTo(service.port) <= 10, `${connectionsTo(service.port)} connections`);
});

test("operations are nobody's business outside", async () => {
  for (const path of ['/metrics', '/health', '/livez', '/readyz', '/shards'])
    assert.equal((await http.get(path)).status, 404, path);
});

test('a large body is a problem of the one form, and the admin API takes a larger one', async () => {
  const body = 'x'.repeat(70 << 10);
  const refused = await http.post('/purchase?code=x', { body });
  assert.equal(refused.body.code, 'body_too_large');
  assert.equal(refused.body.request_id, refused.headers['x-request-id']);
  const names = Array.from({ length: 1_500 }, (_, i) => ({
    name: `Item ${i} ${'x'.repeat(40)}`,
    image_url: '',
  }));
  const created = await http.post('/admin/sales', { body: { total_items: names.length, items: names } });
  assert.notEqual(created.status, 413, created.text);
});

test('a reload under load fails no request', async () => {
  // On separate connections: a reload closes idle ones, perhaps while their client sends.
  const headers = { Connection: 'close' };
  const statuses: number[] = [];
  const buyer = async (user: string) => {
    for (const [i, item] of take(40).entries()) {
      const path = `/checkout?user_id=${user}-${i}&id=${item}&sale_id=${shelf.sale}`;
      const { body } = await http.post(path, { headers });
      statuses.push((await purchase(http, body.code, headers)).status);
    }
  };
  let reloads = 0;
  const reloading = setInterval(() => {
    nginx.reload();
    reloads++;
  }, 50);
  await Promise.all(['r1', 'r2', 'r3', 'r4'].map(buyer));
  clearInterval(reloading);
  assert.ok(reloads > 2, `${reloads} reloads`);
  assert.deepEqual(statuses, Array(160).fill(200));
});

test('a client above the rate limit gets 429 in the form of all problems', async () => {
  const strict = openHttp((await startNginx({ upstream: [service.port, await freePort()] })).url);
  const replies = await Promise.all(
    Array.from({ length: 300 }, () => checkout(strict, 'max', items[0]!, 'x')),
  );
  strict.close();
  const limited = replies.filter(({ status }) => status === 429);
  assert.ok(limited.length > 100, `${limited.length} of 300`);
  const { body, headers } = limited[0]!;
  assert.equal(headers['content-type'], 'application/problem+json');
  assert.equal(headers['retry-after'], '1');
  assert.deepEqual([body.code, body.request_id], ['rate_limited', headers['x-request-id']]);
});

test('without the service, a purchase gets outcome_unknown, and everything else unavailable', async () => {
  const code = await fillCart(http, 'ida', take(1), shelf.sale);
  await service.stop();
  assertProblem(await purchase(http, code), 503, 'outcome_unknown');
  assertProblem(await checkout(http, 'ida', items[0]!, shelf.sale), 503, 'unavailable');
});
