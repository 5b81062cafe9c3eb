import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Reply, sendRaw } from '../support/http.ts';
import { startService } from '../support/service.ts';
import { assertProblem } from '../support/shop.ts';

const service = await startService();
const { http, url } = service;

test('a path that does not exist is not_found, whatever the method', async () => {
  for (const path of [
    '/nothing',
    '/sales/',
    '/sales/a/b',
    '/checkout/',
    '//',
    '/Checkout',
    '/.env',
    '/purchases',
  ])
    for (const method of ['GET', 'POST', 'DELETE'])
      assertProblem(await http.send(method, path), 404, 'not_found');
  assert.deepEqual((await http.send('HEAD', '/nothing')).status, 404);
  assertProblem(await http.get('/'), 404, 'not_found');
});

const ALLOWED = {
  '/': 'GET, HEAD',
  '/checkout': 'POST',
  '/purchase': 'POST',
  '/admin/sales': 'POST',
  '/purchases/x': 'GET, HEAD',
  '/sales': 'GET, HEAD',
  '/sales/active': 'GET, HEAD',
  '/sales/S-0000000000': 'GET, HEAD',
  '/sales/S-0000000000/items': 'GET, HEAD',
  '/items/x/image.svg': 'GET, HEAD',
  '/health': 'GET, HEAD',
  '/livez': 'GET, HEAD',
  '/readyz': 'GET, HEAD',
};
for (const [path, allow] of Object.entries(ALLOWED)) {
  test(`${path} refuses other methods than ${allow}, and says which it knows`, async () => {
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND']) {
      if (allow.includes(method)) continue;
      const reply = await http.send(method, `${path}?user_id=a&id=b&code=c`);
      assertProblem(reply, 405, 'method_not_allowed');
      assert.equal(reply.headers.allow, allow);
    }
    if (allow === 'POST') {
      const head = await http.send('HEAD', path);
      assert.deepEqual([head.status, head.headers.allow, head.text], [405, allow, '']);
    }
  });
}

test('broken percent-encoding in a query is refused with the field named', async () => {
  for (const [target, fields] of Object.entries({
    '/checkout?user_id=%zz&id=1': ['user_id'],
    '/checkout?user_id=%E0%A4%A&id=%': ['user_id', 'id'],
    '/checkout?%E0%A4%A=1&user_id=a&id=1&sale_id=%': ['sale_id'],
    '/purchase?code%=1': ['code'],
  })) {
    const reply = await http.post(target);
    assertProblem(reply, 400, 'validation_failed', 'errors');
    assert.deepEqual(Object.keys(reply.body.errors), fields);
  }
  assertProblem(await http.post('/purchase?code=%ff'), 404, 'checkout_not_found');
  const listing = await http.get('/sales?status=%');
  assert.deepEqual([listing.status, Object.keys(listing.body.errors)], [400, ['status']]);
});

test('instance is the path of the request, without its query', async () => {
  assert.equal((await http.get('/nothing?secret=1')).body.instance, '/nothing');
  assert.equal((await http.post('/purchase?code=secret')).body.instance, '/purchase');
});

const get = (...headers: string[]) => `GET /livez HTTP/1.1\r\n${headers.map((h) => `${h}\r\n`).join('')}\r\n`;
const close = ['Host: a', 'Connection: close'];
const UNREADABLE: Record<string, string> = {
  'no HTTP at all': 'hello\r\n\r\n',
  'an unknown method': 'FOO / HTTP/1.1\r\nHost: a\r\n\r\n',
  'another version': 'GET / HTTP/3.7\r\nHost: a\r\n\r\n',
  'an HTTP/2 preface': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'a Host with a space': get('Host: a b', 'Connection: close'),
  'an empty Host': get('Host:', 'Connection: close'),
  'a Host with a path': get('Host: a/b', 'Connection: close'),
  'no Host': get('Connection: close'),
  'a header without a colon': get('Host: a', 'nonsense'),
  'a header with a NUL': get('Host: a', 'X: a\0b'),
  'a negative length': get('Host: a', 'Content-Length: -1'),
  'two lengths': get('Host: a', 'Content-Length: 1', 'Content-Length: 2'),
  'a length and chunks': get('Host: a', 'Content-Length: 1', 'Transfer-Encoding: chunked'),
};
for (const [what, bytes] of Object.entries(UNREADABLE)) {
  test(`${what} is malformed_request`, async () => {
    assertProblem(await sendRaw(url, bytes), 400, 'malformed_request');
  });
}

test('a checkout or purchase without Host is malformed_request as well', async () => {
  for (const target of ['/checkout?user_id=a&id=b', '/purchase?code=c']) {
    const head = [`POST ${target} HTTP/1.1`, 'Content-Length: 0', 'Connection: close', '', ''];
    assertProblem(await sendRaw(url, head.join('\r\n')), 400, 'malformed_request');
  }
});

test('HTTP/1.0 needs no Host: load balancers probe with it', async () => {
  for (const [path, status] of [
    ['/readyz', 'ready'],
    ['/livez', 'live'],
  ])
    for (const host of ['', 'Host: a\r\n']) {
      const reply = await sendRaw(url, `GET ${path} HTTP/1.0\r\n${host}\r\n`);
      assert.deepEqual([reply.status, reply.body.status], [200, status]);
    }
  assertProblem(await sendRaw(url, 'GET /readyz HTTP/1.0\r\nHost: a b\r\n\r\n'), 400, 'malformed_request');
});

test('a target in absolute form is understood', async () => {
  const reply = await sendRaw(url, `GET http://example.org/livez HTTP/1.1\r\n${close.join('\r\n')}\r\n\r\n`);
  assert.deepEqual([reply.status, reply.body], [200, { status: 'live' }]);
});

test('more than 100 headers are headers_too_large, however small', async () => {
  const many = (count: number) => get(...close, ...Array.from({ length: count - 2 }, (_, i) => `a${i}:`));
  assert.equal((await sendRaw(url, many(100))).status, 200);
  assertProblem(await sendRaw(url, many(101)), 431, 'headers_too_large');
});

test('headers and request lines of more than 8 KiB are headers_too_large', async () => {
  const fill = 'x'.repeat(8 << 10);
  for (const bytes of [get(...close, `X: ${fill}`), `GET /${fill} HTTP/1.1\r\nHost: a\r\n\r\n`])
    assertProblem(await sendRaw(url, bytes), 431, 'headers_too_large');
  const most = 'x'.repeat((8 << 10) - 100);
  assert.equal((await sendRaw(url, get(...close, `X: ${most}`))).status, 200);
});

test('a body of more than 64 KiB is body_too_large, whatever the path, and the client hears it', async () => {
  const body = 'x'.repeat((64 << 10) + 1);
  for (const path of ['/checkout?user_id=a&id=b', '/purchase?code=c', '/nothing', '/sales'])
    assertProblem(await http.post(path, { body }), 413, 'body_too_large');
  assertProblem(await http.post('/purchase?code=c', { body: body.slice(1) }), 404, 'checkout_not_found');
  assertProblem(await http.post('/purchase?code=c', { body: 'x'.repeat(8 << 20) }), 413, 'body_too_large');
});

test('no error tells anything of the inside', async () => {
  const replies: Reply[] = [
    await http.get('/sales/%00'),
    await http.get('/purchases/%zz'),
    await http.post('/checkout?user_id=%zz'),
    await sendRaw(url, 'hello\r\n\r\n'),
    await http.post('/admin/sales', { headers: { 'Content-Type': 'application/json' }, body: '{' }),
  ];
  for (const { text } of replies)
    assert.doesNotMatch(text, /\bat \w+|node:|\/src\/|dist|SyntaxError|select |127\.0/);
});
