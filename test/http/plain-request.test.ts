import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { readPlainHeaders, readPlainLine } from '../../src/http/plain-request.ts';

test('POST to the two hot paths, on HTTP/1.1, with plain characters', () => {
  const line = 'POST /checkout?user_id=ada&id=a.b_c:d-1 HTTP/1.1\r\n';
  const read = { method: 'POST', path: '/checkout', query: 'user_id=ada&id=a.b_c:d-1', length: line.length };
  assert.deepEqual(readPlainLine(`${line}Host: shop\r\n\r\n`), read);
  const purchase = 'POST /purchase?code=CHK HTTP/1.1\r\n';
  assert.deepEqual(readPlainLine(purchase), {
    ...{ method: 'POST', path: '/purchase', query: 'code=CHK', length: purchase.length },
  });
  for (const other of [
    'POST /checkout HTTP/1.1\r\n',
    'POST /checkout? HTTP/1.1\r\n',
    'POST /checkouts?id=1 HTTP/1.1\r\n',
    'POST /checkout?id=a b HTTP/1.1\r\n',
    'POST /checkout?id="1" HTTP/1.1\r\n',
    'POST /checkout?id=1\u00e9 HTTP/1.1\r\n',
    'POST /checkout?id=1#x HTTP/1.1\r\n',
    'POST /checkout?id=1 HTTP/1.1\n',
    'POST /checkout?id=1 HTTP/1.10\r\n',
    'POST  /checkout?id=1 HTTP/1.1\r\n',
    'POST /checkout?id=1  HTTP/1.1\r\n',
    ' POST /checkout?id=1 HTTP/1.1\r\n',
    'POST /checkout?id=1',
    '',
  ]) {
    assert.equal(readPlainLine(other), undefined, JSON.stringify(other));
  }
});

test('GET of any path, on HTTP/1.1, with plain characters', () => {
  for (const [path, query] of [
    ['/'],
    ['/sales/S-0/items', 'limit=5&after=a:b'],
    ['/items/a.b/image.svg'],
    ['//x'],
    ['/sales', ''],
    ['/a..b'],
  ] as [string, string?][]) {
    const line = `GET ${path}${query === undefined ? '' : `?${query}`} HTTP/1.1\r\n`;
    assert.deepEqual(readPlainLine(`${line}Host: shop\r\n\r\n`), {
      method: 'GET',
      path,
      query: query ?? '',
      length: line.length,
    });
  }
  for (const other of [
    ...[
      'GET * HTTP/1.1\r\n',
      'GET http://shop/ HTTP/1.1\r\n',
      'GET /a%20b HTTP/1.1\r\n',
      'GET /../a HTTP/1.1\r\n',
    ],
    ...[
      'GET /admin/sales HTTP/1.1\r\n',
      'GET /sales/S-0123456789/live HTTP/1.1\r\n',
      'GET /a/.?x=1 HTTP/1.1\r\n',
      'GET /a HTTP/1.0\r\n',
      'GET /a  HTTP/1.1\r\n',
      'HEAD / HTTP/1.1\r\n',
    ],
    ...[
      'GET /?a?b HTTP/1.1\r\n',
      'GET /a#b HTTP/1.1\r\n',
      'GET a HTTP/1.1\r\n',
      'GET  /a HTTP/1.1\r\n',
      'GET /a',
    ],
  ]) {
    assert.equal(readPlainLine(other), undefined, JSON.stringify(other));
  }
});

/** What node:http makes of a head: its headers, or undefined when it refuses it or waits for more. */
const server = createServer({ requireHostHeader: true });
await once(server.listen(0, '127.0.0.1'), 'listening');
server.unref();
async function readByNode(head: string): Promise<IncomingHttpHeaders | undefined> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const heard = new Promise<IncomingHttpHeaders | undefined>((resolve) => {
    const onRequest = (req: import('node:http').IncomingMessage, res: import('node:http').ServerResponse) => {
      let body = '';
      req.on('data', (part) => {
        body += part;
      });
      req.on('error', () => resolve(undefined));
      req.on('end', () => {
        res.end();
        resolve(body === '' ? req.headers : undefined);
      });
    };
    server.once('request', onRequest);
    socket
      .on('error', () => {})
      .on('close', () => {
        server.off('request', onRequest);
        resolve(undefined);
      });
  });
  socket.end(`POST /checkout?id=1 HTTP/1.1\r\n${head}`, 'latin1');
  const headers = await heard;
  socket.destroy();
  return headers;
}

const name = fc.oneof(
  fc.constantFrom(
    'Host',
    'host',
    'Content-Length',
    'Connection',
    'X-Request-Id',
    'traceparent',
    'Idempotency-Key',
  ),
  fc.constantFrom(
    'Transfer-Encoding',
    'Expect',
    'Upgrade',
    'Accept',
    'User-Agent',
    'X Y',
    'Näme',
    '',
    ' Folded',
  ),
  fc.string({ maxLength: 6 }),
);
const value = fc.oneof(
  fc.constantFrom(
    'shop',
    '0',
    '00',
    '1',
    '-0',
    'keep-alive',
    'close',
    'Keep-Alive, x',
    'chunked',
    '100-continue',
    '\t a \t',
    '\u0000',
    '\u00e9',
    '\r',
    'a\nb',
  ),
  fc.string({ maxLength: 12 }),
);
const colon = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(': ', ':', ':\t') },
  fc.constantFrom(' : ', ''),
);
const lineEnd = fc.oneof(
  { weight: 30, arbitrary: fc.constant('\r\n') },
  fc.constantFrom('\n', '\r', '\r\n ', '\r\n\r\n'),
);
const header = fc.tuple(name, colon, value, lineEnd).map((parts) => parts.join(''));
const heads = fc
  .tuple(
    fc.constantFrom('Host: shop\r\n', 'Host: shop\r\n', ''),
    fc.array(header, { maxLength: 4 }),
    fc.oneof({ weight: 8, arbitrary: fc.constant('\r\n') }, fc.constantFrom('', '\r\n\r\n', '\r\nx')),
  )
  .map(([host, headers, end]) => host + headers.join('') + end);

test('what is taken for plain, node:http takes for the same', async () => {
  let taken = 0;
  await fc.assert(
    fc.asyncProperty(heads, async (head) => {
      const own = readPlainHeaders(head);
      if (own === undefined) return;
      taken++;
      const headers = await readByNode(head);
      assert.ok(headers, `node refuses ${JSON.stringify(head)}`);
      assert.equal(headers['x-request-id'], own.requestId);
      assert.equal(headers.traceparent, own.traceparent);
      assert.equal(headers['if-none-match'], own.ifNoneMatch);
      assert.equal(headers['idempotency-key'], own.idempotencyKey);
      assert.equal(headers.connection?.toLowerCase() === 'close', own.closes);
      assert.ok(headers['transfer-encoding'] === undefined && headers.expect === undefined);
    }),
    { numRuns: 4_000 },
  );
  assert.ok(taken > 400, `only ${taken} of the heads were plain`);
});
