import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readConfig, SetupError } from '../../src/config.ts';
import { HEADERS } from '../../src/contract/headers.ts';
import { EXPOSED } from '../../src/http/cors.ts';
import { type Reply, sendRaw } from '../support/http.ts';
import { startService } from '../support/service.ts';
import { assertProblem } from '../support/shop.ts';

const SHOP = 'https://shop.example';
const listed = await startService({ CORS_ORIGINS: `${SHOP}, http://localhost:5173` });

/** A second option for the connection is nothing plain, so that the lane gives it to node:http. */
const WAYS = { 'in the lane': 'close', 'through Hono': 'close, x' };

const ask = (connection: string, method: string, target: string, ...headers: string[]): Promise<Reply> =>
  sendRaw(
    listed.url,
    [`${method} ${target} HTTP/1.1`, 'Host: a', ...headers, `Connection: ${connection}`, '', ''].join('\r\n'),
  );
const corsOf = ({ headers }: Reply) =>
  Object.fromEntries(
    Object.entries(headers).filter(([name]) => name === 'vary' || name.startsWith('access-control-')),
  );
const allowed = {
  vary: 'Origin',
  'access-control-allow-origin': SHOP,
  'access-control-expose-headers': EXPOSED.join(', '),
};
const PREFLIGHT = 'Access-Control-Request-Method: POST';

for (const [way, connection] of Object.entries(WAYS)) {
  test(`an allowed origin may read every answer, errors too, ${way}`, async () => {
    for (const [method, target] of [
      ['GET', '/sales/active'],
      ['GET', '/livez'],
      ['POST', '/checkout?id=1'],
      ['GET', '/nothing'],
    ] as const)
      assert.deepEqual(corsOf(await ask(connection, method, target, `Origin: ${SHOP}`)), allowed);
  });

  test(`any other origin, and none, may not, and caches are told why, ${way}`, async () => {
    for (const origin of [
      'https://evil.example',
      `${SHOP}.evil.example`,
      `${SHOP}, ${SHOP}`,
      'null',
      'HTTPS://SHOP.EXAMPLE',
    ])
      assert.deepEqual(corsOf(await ask(connection, 'GET', '/sales/active', `Origin: ${origin}`)), {
        vary: 'Origin',
      });
    assert.deepEqual(corsOf(await ask(connection, 'GET', '/sales/active')), { vary: 'Origin' });
    // What varies by something else varies by both.
    const page = await ask(connection, 'GET', '/', 'Accept: text/html');
    assert.deepEqual(corsOf(page), { vary: 'Accept, Origin' });
  });

  test(`a preflight names the methods of the path and the headers that may be sent, ${way}`, async () => {
    const head = [`Origin: ${SHOP}`, PREFLIGHT, 'Access-Control-Request-Headers: authorization'];
    for (const [target, methods] of [
      ['/checkout?user_id=ada&id=lamp', 'POST'],
      ['/purchases/CHK-1', 'GET, HEAD'],
    ] as const) {
      const reply = await ask(connection, 'OPTIONS', target, ...head);
      assert.deepEqual([reply.status, reply.text], [204, '']);
      assert.deepEqual(corsOf(reply), {
        ...allowed,
        'access-control-allow-methods': methods,
        'access-control-allow-headers':
          'Authorization, Content-Type, Idempotency-Key, If-None-Match, X-Request-Id, traceparent',
        'access-control-max-age': '600',
      });
      for (const name of ['content-length', 'content-type']) assert.equal(reply.headers[name], undefined);
    }
  });

  test(`OPTIONS is 405 without a preflight, and to other origins, ${way}`, async () => {
    for (const headers of [
      [],
      [PREFLIGHT],
      [`Origin: ${SHOP}`],
      ['Origin: https://evil.example', PREFLIGHT],
    ]) {
      const reply = await ask(connection, 'OPTIONS', '/checkout', ...headers);
      assertProblem(reply, 405, 'method_not_allowed');
      assert.equal(reply.headers.allow, 'POST');
    }
    assertProblem(
      await ask(connection, 'OPTIONS', '/nothing', `Origin: ${SHOP}`, PREFLIGHT),
      404,
      'not_found',
    );
  });

  test(`the admin API is for no page of another origin, ${way}`, async () => {
    const preflight = await ask(connection, 'OPTIONS', '/admin/sales', `Origin: ${SHOP}`, PREFLIGHT);
    assertProblem(preflight, 405, 'method_not_allowed');
    for (const reply of [preflight, await ask(connection, 'POST', '/admin/sales', `Origin: ${SHOP}`)])
      assert.deepEqual(corsOf(reply), {});
  });
}

test('a connection serves preflight and request in turn', async () => {
  const preflight = ['OPTIONS /sales/active HTTP/1.1', 'Host: a', `Origin: ${SHOP}`, PREFLIGHT, '', ''];
  const { status } = await sendRaw(
    listed.url,
    `${preflight.join('\r\n')}GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
  );
  assert.equal(status, 204);
});

test('a request that cannot be read has the headers as well', async () => {
  const reply = await sendRaw(
    listed.url,
    `GET /a/../b HTTP/1.1\r\nHost: a\r\nOrigin: ${SHOP}\r\nConnection: close\r\n\r\n`,
  );
  assertProblem(reply, 400, 'malformed_request');
  assert.deepEqual(corsOf(reply), allowed);
});

test('with * any page may read, and answers do not depend on the origin', async () => {
  await listed.stop();
  const any = await startService({ CORS_ORIGINS: '*' });
  for (const headers of [{}, { Origin: 'https://evil.example' }])
    assert.deepEqual(corsOf(await any.http.get('/sales/active', headers)), {
      'access-control-allow-origin': '*',
      'access-control-expose-headers': EXPOSED.join(', '),
    });
  const preflight = await any.http.send('OPTIONS', '/checkout', {
    headers: { Origin: 'null', 'Access-Control-Request-Method': 'POST' },
  });
  assert.deepEqual([preflight.status, preflight.headers['access-control-allow-origin']], [204, '*']);
  await any.stop();
});

test('without CORS_ORIGINS no answer mentions origins', async () => {
  const off = await startService();
  assert.deepEqual(corsOf(await off.http.get('/sales/active', { Origin: SHOP })), {});
  const headers = { Origin: SHOP, 'Access-Control-Request-Method': 'POST' };
  assertProblem(await off.http.send('OPTIONS', '/checkout', { headers }), 405, 'method_not_allowed');
});

/** https://fetch.spec.whatwg.org/#cors-safelisted-response-header-name */
const ALWAYS_READ = [
  'Cache-Control',
  'Content-Language',
  'Content-Length',
  'Content-Type',
  'Expires',
  'Last-Modified',
  'Pragma',
];

test('every header of the contract can be read', () => {
  const readable = [...EXPOSED, ...ALWAYS_READ];
  assert.deepEqual(
    Object.keys(HEADERS).filter((name) => !readable.includes(name)),
    [],
  );
});

test('an origin is taken only as a browser would send it', () => {
  for (const origin of [
    'shop.example',
    `${SHOP}/`,
    `${SHOP}/a`,
    'ftp://a',
    'https://A',
    'https://a:443',
    `${SHOP},*`,
  ])
    assert.throws(() => readConfig({ CORS_ORIGINS: origin }), SetupError, origin);
  assert.deepEqual(readConfig({ CORS_ORIGINS: `${SHOP} ,http://a:1` }).corsOrigins, [SHOP, 'http://a:1']);
});
