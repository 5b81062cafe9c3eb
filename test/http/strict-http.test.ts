import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { converse, openRaw, type RawAnswer } from '../../campaigns/hardening/raw.ts';
import { until } from '../support/processes.ts';
import { startService } from '../support/service.ts';
import { connectStores } from '../support/stores.ts';

const service = await startService({ WORKERS: '1', SALE_ITEMS: '20', ADMIN_TOKEN: 'secret' });
const { url, http } = service;
const { sql } = await connectStores(service.redisUrl, service.databaseUrl);
const sale = (await http.get('/sales/active')).body.id as string;
const [item] = (await http.get(`/sales/${sale}/items?limit=1`)).body.map(({ id }: { id: string }) => id);

const HOST = 'Host: a\r\n';
const LIVE = `GET /livez HTTP/1.1\r\n${HOST}\r\n`;
const get = (target: string, headers = HOST) => `GET ${target} HTTP/1.1\r\n${headers}\r\n`;
const checkout = (query: string, headers = '', body = '') =>
  `POST /checkout?${query} HTTP/1.1\r\n${HOST}${headers}\r\n${body}`;
const sound = (user: string) => `user_id=${user}&id=${item}`;
const HIDDEN = checkout(sound('hidden'));

/** An answer as "400 malformed_request", or the status alone; a problem is in the one form. */
function nameOf({ status, head, body }: RawAnswer): string {
  if (status < 400) return String(status);
  assert.match(head, /^content-type: application\/problem\+json$/im);
  const id = /^x-request-id: (.+)$/im.exec(head)?.[1];
  const problem = JSON.parse(Buffer.from(body, 'latin1').toString());
  assert.deepEqual([problem.status, problem.request_id], [status, id]);
  return `${status} ${problem.code}`;
}

/** The first `count` answers, and what comes too many; with 0 until the connection is closed. */
async function answersTo(bytes: string, count: number): Promise<string[]> {
  const { answers, rest, closed } = await converse(url, bytes, { answers: count });
  assert.equal(rest, '');
  assert.ok(closed || answers.length >= count, 'no hang');
  return answers.map(nameOf);
}

/** Bytes, and the answers that must come; [] stands for a connection that is closed without one. */
const malformed = ['400 malformed_request'];
const invalid = ['400 validation_failed'];
const CASES: Record<string, [bytes: string, answers: string[]]> = {
  // Parameters.
  'a parameter given twice': [checkout(`user_id=a&user_id=b&id=${item}`), invalid],
  'an id with %00': [checkout(`user_id=a%00&id=${item}`), invalid],
  'an id with an encoded line break': [checkout(`user_id=a%0d%0aX&id=${item}`), invalid],
  'an id with broken percent-encoding': [checkout(`user_id=%zz&id=${item}`), invalid],
  'an id in overlong UTF-8': [checkout(`user_id=%c0%af&id=${item}`), invalid],
  'an id with a plus, which is a space': [checkout(`user_id=a+b&id=${item}`), invalid],
  'an id that is encoded for no reason': [checkout(`user_id=%61da&id=${item}`), ['200']],
  'an id of 7,000 characters': [checkout(`user_id=${'a'.repeat(7_000)}&id=${item}`), invalid],
  'an id of 10 kB': [checkout(`user_id=${'a'.repeat(10_240)}&id=${item}`), ['431 headers_too_large']],
  'a code of 7,000 characters': [`POST /purchase?code=${'a'.repeat(7_000)} HTTP/1.1\r\n${HOST}\r\n`, invalid],
  'a parameter called __proto__': [checkout('__proto__=a&user_id=a&id=b'), ['404 item_not_found']],
  'a fragment': [checkout(`${sound('a')}#x`), invalid],
  // Targets.
  'a target of 10 kB': [get(`/${'a'.repeat(10_240)}`), ['431 headers_too_large']],
  'high bytes in the target': [checkout('user_id=\xff\xfe&id=1'), malformed],
  'a NUL in the target': [checkout('user_id=a\0&id=1'), malformed],
  'an absolute form': [get('http://example.org/livez'), ['200']],
  'an absolute form of another scheme': [get('ftp://example.org/livez'), malformed],
  'an absolute form without end': [get('http://[::1/livez'), malformed],
  'an asterisk': [`OPTIONS * HTTP/1.1\r\n${HOST}\r\n`, malformed],
  'dot segments': [get('/sales/../livez'), malformed],
  'encoded dot segments': [get('/x/%2E%2e/admin/sales'), malformed],
  'a target without a slash': [get('livez'), malformed],
  'an authority': [`CONNECT example.org:443 HTTP/1.1\r\n${HOST}\r\n`, []],
  // Methods and versions.
  TRACE: [`TRACE /livez HTTP/1.1\r\n${HOST}X: y\r\n\r\n`, ['405 method_not_allowed']],
  'a method in lower case': [`get /livez HTTP/1.1\r\n${HOST}\r\n`, malformed],
  'a method in a header': [
    `GET /checkout?${sound('a')} HTTP/1.1\r\n${HOST}X-HTTP-Method-Override: POST\r\n\r\n`,
    ['405 method_not_allowed'],
  ],
  'HTTP/0.9, which ends nowhere': ['GET /livez\r\n', ['408 request_timeout']],
  'HTTP/0.9 with headers': [`GET /livez HTTP/0.9\r\n${HOST}\r\n`, malformed],
  'HTTP/1.0': [`GET /livez HTTP/1.0\r\n${HOST}\r\n`, ['200']],
  'HTTP/2.0 in the form of 1.1': [`GET /livez HTTP/2.0\r\n${HOST}\r\n`, malformed],
  'a TLS greeting': ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', malformed],
  // Host.
  'two Hosts': [get('/livez', 'Host: a\r\nHost: a\r\n'), malformed],
  'a checkout with two Hosts': [checkout(sound('hosts'), 'host: b\r\n'), malformed],
  'a checkout with a broken Host': [`POST /checkout?${sound('a')} HTTP/1.1\r\nHost: a b\r\n\r\n`, malformed],
  'a Host of IPv6 with a port': [get('/livez', 'Host: [::1]:8080\r\n'), ['200']],
  // Headers.
  'a header line that is folded': [get('/livez', `${HOST}X: a\r\n b\r\n`), malformed],
  'bare line feeds': [`GET /livez HTTP/1.1\nHost: a\n\n`, malformed],
  'one bare line feed': [get('/livez', 'Host: a\nX: y\r\n'), malformed],
  'a bare carriage return': [get('/livez', `${HOST}X: a\rb\r\n`), malformed],
  'a header name with a space': [get('/livez', `${HOST}X Y: z\r\n`), malformed],
  'high bytes in a request id': [get('/nothing', `${HOST}X-Request-Id: \xff\xfe\r\n`), ['404 not_found']],
  '2,000 headers': [get('/livez', HOST + 'a:\r\n'.repeat(1_999)), ['431 headers_too_large']],
  '2,000 headers, and then the Host': [
    get('/livez', 'a:\r\n'.repeat(2_000) + HOST),
    ['431 headers_too_large'],
  ],
  'a checkout with 2,000 headers': [
    checkout(sound('flood'), 'a:\r\n'.repeat(1_990)),
    ['431 headers_too_large'],
  ],
  '100 headers': [get('/livez', HOST + 'a:\r\n'.repeat(99)), ['200']],
  Range: [get('/livez', `${HOST}Range: bytes=0-1\r\n`), ['200']],
  'an unknown Expect': [checkout(sound('a'), 'Expect: 200-maybe\r\n'), ['417 expectation_failed']],
  'Expect with a body that is refused': [
    checkout(sound('a'), 'Expect: 100-continue\r\nContent-Length: 9999999\r\n'),
    ['413 body_too_large'],
  ],
  'Upgrade: served as if it were not there, and closed': [
    get('/livez', `${HOST}Connection: Upgrade\r\nUpgrade: websocket\r\n`) + HIDDEN,
    ['200'],
  ],
  // Bodies. What hides in them must not be served.
  'a length and chunks': [
    checkout(sound('x1'), 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', `0\r\n\r\n${HIDDEN}`),
    malformed,
  ],
  'two lengths': [
    checkout(sound('x2'), `Content-Length: 0\r\nContent-Length: ${HIDDEN.length}\r\n`, HIDDEN),
    malformed,
  ],
  'a list of lengths': [checkout(sound('x3'), 'Content-Length: 0, 0\r\n', HIDDEN), malformed],
  'a length with a plus': [checkout(sound('x4'), 'Content-Length: +0\r\n', HIDDEN), malformed],
  'a length past all numbers': [
    checkout(sound('x5'), `Content-Length: ${'9'.repeat(30)}\r\n`, HIDDEN),
    malformed,
  ],
  'two codings': [
    checkout(sound('x6'), 'Transfer-Encoding: chunked, gzip\r\n', `0\r\n\r\n${HIDDEN}`),
    malformed,
  ],
  'chunked twice': [
    checkout(
      sound('x7'),
      'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n',
      `0\r\n\r\n${HIDDEN}`,
    ),
    malformed,
  ],
  'chunked behind gzip': [
    checkout(sound('x8'), 'Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n'),
    malformed,
  ],
  'an unknown coding': [
    checkout(sound('x9'), 'Transfer-Encoding: xchunked\r\n', `0\r\n\r\n${HIDDEN}`),
    malformed,
  ],
  'a coding with a space before the colon': [
    checkout(sound('x10'), 'Transfer-Encoding : chunked\r\n', `0\r\n\r\n${HIDDEN}`),
    malformed,
  ],
  'chunks in HTTP/1.0': [
    `POST /checkout?${sound('x11')} HTTP/1.0\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${HIDDEN}`,
    malformed,
  ],
  'chunks, an extension and a trailer': [
    checkout(sound('ok1'), 'Transfer-Encoding: chunked\r\n', '3;a=b\r\nabc\r\n0\r\nX: y\r\n\r\n') + LIVE,
    ['200', '200'],
  ],
  'an empty body of chunks': [
    checkout(sound('ok2'), 'Transfer-Encoding: chunked\r\n', '0\r\n\r\n') + LIVE,
    ['200', '200'],
  ],
  'a body where none is needed': [
    checkout(sound('ok3'), 'Content-Length: 3\r\n', 'abc') + LIVE,
    ['200', '200'],
  ],
  'a body on GET': [`${get('/livez', `${HOST}Content-Length: 3\r\n`)}abc${LIVE}`, ['200', '200']],
  'an admin body of 60,000 brackets': [
    `POST /admin/sales HTTP/1.1\r\n${HOST}Authorization: Bearer secret\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n${'['.repeat(60_000)}`,
    malformed,
  ],
  // Pipelining.
  'a valid request behind an invalid one': [`garbage\r\n\r\n${HIDDEN}`, malformed],
};
for (const [what, [bytes, answers]] of Object.entries(CASES)) {
  test(`${what}: ${answers.join(', ') || 'closed'}`, async () => {
    assert.deepEqual(await answersTo(bytes, answers.length), answers);
  });
}

for (const [what, body] of Object.entries({
  'a size that is none': 'zz\r\nabc\r\n0\r\n\r\n',
  'a negative size': '-1\r\nabc\r\n0\r\n\r\n',
  'a size with 0x': '0x3\r\nabc\r\n0\r\n\r\n',
  'a size past all numbers': `${'f'.repeat(17)}\r\nabc\r\n0\r\n\r\n`,
  'a size that ends in a bare line feed': '3\nabc\r\n0\r\n\r\n',
  'a chunk that is longer than it says': '3\r\nabcd\r\n0\r\n\r\n',
  'an extension with a line feed': '3;a\nxx\r\nabc\r\n0\r\n\r\n',
  'an extension of 20 kB': `3;${'a'.repeat(20_000)}\r\nabc\r\n0\r\n\r\n`,
  'a trailer of 20 kB': `0\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`,
})) {
  test(`chunks with ${what} are the end of a connection`, async () => {
    const bytes = `POST /nothing HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n${body}${HIDDEN}`;
    const { answers, rest, closed } = await converse(url, bytes);
    assert.deepEqual([rest, closed], ['', true]);
    for (const answer of answers) assert.match(nameOf(answer), /^(404 not_found|400 malformed_request)$/);
  });
}

test('100 pipelined requests are answered in their order, each with its own answer', async () => {
  const asks = (n: number) =>
    [
      checkout(`user_id=&id=n${n}`, `X-Request-Id: r${n}\r\n`),
      get('/sales/active', `${HOST}X-Request-Id: r${n}\r\n`),
      get(`/nothing/${n}`, `${HOST}X-Request-Id: r${n}\r\n`),
      checkout(sound(`pipe${n}`), `X-Request-Id: r${n}\r\n`),
    ][n % 4] as string;
  const bytes = Array.from({ length: 100 }, (_, n) => asks(n)).join('');
  const { answers } = await converse(url, bytes, { answers: 100 });
  assert.deepEqual(
    answers.map(({ head }) => /^x-request-id: (.+)$/im.exec(head)?.[1]),
    Array.from({ length: 100 }, (_, n) => `r${n}`),
  );
  const expected = ['400 validation_failed', '200', '404 not_found', '200'];
  assert.deepEqual(
    answers.map(nameOf),
    Array.from({ length: 100 }, (_, n) => expected[n % 4]),
  );
});

test('a client that sends thousands of requests and waits for none is cut off', async () => {
  const { answers, closed } = await converse(url, LIVE.repeat(5_000));
  assert.equal(closed, true);
  assert.ok(answers.length < 5_000, `${answers.length} answers`);
});

test('what comes of a body behind its answer is discarded for a moment, and then the connection is closed', async () => {
  const bytes = checkout(sound('linger'), 'Content-Length: 10000\r\n', 'abc');
  const { answers, closed } = await converse(url, bytes);
  assert.deepEqual([answers.map(nameOf), closed], [['200'], true]);
});

test('a client that sends more than a path takes, without looking up, still finds its answer', async () => {
  const admin = `${HOST}Origin: http://a\r\nAuthorization: Bearer secret\r\nContent-Type: application/json\r\n`;
  // A chunk that is too large, of which some follows a second after the answer: longer than a busy client takes.
  for (const [path, bytes] of [
    ['/admin/sales', 5 << 20],
    ['/console/session', 100_000],
    [`/checkout?${sound('late')}`, 100_000],
  ] as const) {
    const socket = openRaw(url);
    const failed: string[] = [];
    socket.on('error', (error: NodeJS.ErrnoException) => failed.push(error.code ?? ''));
    const closed = once(socket, 'close').catch(() => failed);
    socket.write(
      `POST ${path} HTTP/1.1\r\n${admin}Transfer-Encoding: chunked\r\n\r\n${bytes.toString(16)}\r\n`,
    );
    await new Promise<void>((resolve) => socket.write(' '.repeat(bytes - 1), () => resolve()));
    await sleep(1_000);
    socket.write(' \r\n0\r\n\r\n');
    // A reset would be here by now.
    await sleep(100);
    assert.deepEqual(failed, [], path);
    const [answer] = await Promise.race([once(socket, 'data'), closed]);
    assert.match(String(answer), /^HTTP\/1.1 (413|401|200) /, path);
    socket.destroy();
  }
});

for (const method of ['HEAD', 'OPTIONS'])
  test(`${method} of every route has an answer, and never an effect`, async () => {
    const routes = ['/checkout', '/purchase', '/purchases/x', '/sales/active', '/sales', `/sales/${sale}`];
    const more = [
      `/sales/${sale}/items`,
      '/items/x/image.svg',
      '/admin/sales',
      '/health',
      '/shards',
      '/metrics',
    ];
    for (const path of [...routes, ...more, '/livez', '/readyz', '/nothing']) {
      const { status, text } = await http.send(method, `${path}?${sound('hidden')}`);
      assert.ok(
        method === 'HEAD' ? status < 500 && text === '' : status === 405 || status === 404,
        `${path}: ${status}`,
      );
    }
  });

test('none of the requests that were hidden in others was served', async () => {
  assert.deepEqual(await answersTo(checkout(sound('last')), 1), ['200']);
  const rows = () => sql('select user_id from checkout_attempts where user_id in ($1, $2)', 'hidden', 'last');
  await until('attempts are shipped', async () => (await rows()).length > 0);
  assert.deepEqual(await rows(), [{ user_id: 'last' }]);
});
