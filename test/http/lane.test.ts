import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { json } from '../../src/http/answer.ts';
import type { Route } from '../../src/http/route.ts';
import { plain, serve, talk } from '../support/lane.ts';

test('a plain request is served on its socket, and its answer is whole', async () => {
  const { text, bodies, closed } = await talk(await serve(), [plain()]);
  assert.deepEqual(bodies, [{ via: 'lane', query: { user_id: 'ada', id: 'lamp-1' } }]);
  const [head = '', body = ''] = text.split('\r\n\r\n');
  const [status, ...headers] = head.split('\r\n');
  assert.equal(status, 'HTTP/1.1 200 OK');
  const names = headers.map((header) => header.split(':')[0]);
  assert.deepEqual(names, [
    'Content-Type',
    'Content-Length',
    'X-Request-Id',
    'X-Content-Type-Options',
    'Date',
    'Connection',
    'Keep-Alive',
  ]);
  assert.match(head, new RegExp(`Content-Length: ${body.length}\r\n`));
  const date = Date.parse(/Date: (.*)/.exec(head)?.[1] ?? '');
  assert.ok(Math.abs(Date.now() - date) < 5_000, head);
  assert.equal(closed, false);
});

test('what its headers say is heard: the request id, the key of a replay, the wish to close', async () => {
  const server = await serve();
  assert.match((await talk(server, [plain('id=1', 'x-request-ID:  mine ')])).text, /X-Request-Id: mine\r\n/);
  const bought = await talk(server, [
    plain().replace('/checkout', '/purchase').replace('\r\n\r\n', '\r\nIdempotency-Key: 1\r\n\r\n'),
  ]);
  assert.deepEqual(
    bought.bodies.map(({ via, ...more }) => [via, (more as unknown as { replay: boolean }).replay]),
    [['lane', true]],
  );
  const last = await talk(server, [plain('id=1', 'Connection: close')]);
  assert.match(last.text, /Connection: close\r\n/);
  assert.deepEqual([last.bodies[0]?.via, last.closed], ['lane', true]);
});

test('one connection is served again and again, whatever its headers are from one request to the next', async () => {
  const { bodies, text } = await talk(
    await serve(),
    [plain('id=1'), plain('id=2'), plain('id=3', 'X-Request-Id: mine'), plain('id=4')],
    { answers: 4, inTurn: true },
  );
  assert.deepEqual(
    bodies.map(({ via, query }) => via + query.id),
    ['lane1', 'lane2', 'lane3', 'lane4'],
  );
  assert.equal(text.match(/X-Request-Id: mine/g)?.length, 1);
});

test('a query is decoded alike in the lane and by Hono, whatever printable characters it has', async () => {
  const [lane, hono] = [await serve(), await serve()];
  const part = fc.oneof(
    fc.string({
      unit: fc.integer({ min: 0x21, max: 0x7e }).map((c) => String.fromCharCode(c)),
      maxLength: 20,
    }),
    fc.string({
      unit: fc.constantFrom('%', '2', '5', 'C', '+', '&', '=', "'", 'a', '<', '\\'),
      maxLength: 12,
    }),
  );
  const queries = part.map((text) => text.replaceAll(/["#]/g, '')).filter((text) => text !== '');
  await fc.assert(
    fc.asyncProperty(queries, async (query) => {
      const [ours] = (await talk(lane, [plain(query)])).bodies;
      const [theirs] = (await talk(hono, [plain(query, 'Connection: keep-alive, x')])).bodies;
      assert.deepEqual([ours?.via, theirs?.via], ['lane', 'hono']);
      assert.deepEqual(ours?.query, theirs?.query);
    }),
    { numRuns: 300 },
  );
});

for (const [what, request] of Object.entries({
  'a body': plain(undefined, 'Content-Length: 2').concat('{}'),
  'a chunked body': plain(undefined, 'Transfer-Encoding: chunked').concat('0\r\n\r\n'),
  'HTTP/1.0': plain().replace('HTTP/1.1', 'HTTP/1.0'),
  'an absolute target': plain().replace('/checkout', 'http://shop/checkout'),
  'an unknown wish for the connection': plain(undefined, 'Connection: keep-alive, x'),
  'a header with a high byte': plain(undefined, 'X-Name: \u00e4'),
})) {
  test(`a request with ${what} is node's and Hono's`, async () => {
    const { bodies } = await talk(await serve(), [request]);
    assert.deepEqual(bodies, [{ via: 'hono', query: { user_id: 'ada', id: 'lamp-1' } }]);
  });
}

for (const [what, request] of Object.entries({
  'without a Host': plain().replace('Host: shop\r\n', ''),
  'with a line that is no header': plain(undefined, 'no header'),
  'with a line fold': plain(undefined, 'X-Long: a', ' b'),
  'with a NUL in a header': plain(undefined, 'X-Name: \u0000'),
  'with a length and chunks': plain(undefined, 'Content-Length: 2', 'Transfer-Encoding: chunked').concat(
    '0\r\n\r\n',
  ),
  'with two lengths': plain(undefined, 'Content-Length: 0', 'Content-Length: 1').concat('x'),
})) {
  test(`a request ${what} is refused, and reaches nobody`, async () => {
    const reached: string[] = [];
    const note = async () => {
      reached.push(what);
      return json(200, {});
    };
    const { text } = await talk(await serve({ checkout: note, purchase: note }), [request]);
    assert.match(text, /^HTTP\/1\.1 400 /);
    assert.match(text, /"code":"malformed_request"/);
    assert.deepEqual(reached, []);
  });
}

test('a plain GET is the same through the lane as through node:http, and its connection stays', async () => {
  const made = await serve({}, { via: ['lane', 'lane'] });
  const { port } = made.server.address() as AddressInfo;
  const get = async (socket: Socket, target: string, ...more: string[]) => {
    socket.write(
      [`GET ${target} HTTP/1.1`, 'Host: shop', 'X-Request-Id: mine', ...more, '', ''].join('\r\n'),
    );
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    const [head = '', body] = chunk.toString().split('\r\n\r\n');
    const [status, ...headers] = head.split('\r\n').map((line) => line.toLowerCase());
    return { status, headers: headers.filter((line) => !line.startsWith('date: ')).sort(), body };
  };
  const ours = connect({ port, host: '127.0.0.1', noDelay: true });
  const statuses = { ok: 0, other: 0 };
  for (const [target, ...more] of [
    ['/sales/S-0123456789/items?limit=2'],
    ['/openapi.json'],
    ['/openapi.json', 'If-None-Match: "1"'],
    ['/livez'],
    ['/checkout?id=1'],
    ['/nothing'],
    ['//nothing'],
  ] as [string, ...string[]][]) {
    const nodes = connect({ port, host: '127.0.0.1', noDelay: true });
    const byNode = await get(nodes, target, ...more, 'Connection: keep-alive, x');
    nodes.destroy();
    assert.deepEqual(await get(ours, target, ...more), byNode, target);
    statuses[byNode.status === 'http/1.1 200 ok' ? 'ok' : 'other']++;
  }
  assert.deepEqual(statuses, { ok: 2, other: 5 });
  ours.write(plain());
  const [chunk] = (await once(ours, 'data')) as [Buffer];
  assert.match(chunk.toString(), /"via":"lane"/);
  ours.destroy();
});

test('requests that come together are answered one by one, in their order', async () => {
  const together = [1, 2, 3, 4].map((n) => plain(`id=${n}`)).join('');
  const { bodies } = await talk(await serve(), [together], { answers: 4 });
  assert.deepEqual(
    bodies.map(({ query }) => query.id),
    ['1', '2', '3', '4'],
  );
});

test('a request that comes while one is under way waits for its answer', async () => {
  let finish = () => {};
  const first = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const server = await serve({
    checkout: async ({ query }) => {
      if (query.get('id') === '1') await first;
      return json(200, { query: Object.fromEntries(query) });
    },
  });
  setTimeout(() => finish(), 50);
  const { bodies } = await talk(server, [plain('id=1'), plain('id=2'), plain('id=3')], { answers: 3 });
  assert.deepEqual(
    bodies.map(({ query }) => query.id),
    ['1', '2', '3'],
  );
});

test('a request that is cut anywhere is the same request', async () => {
  const server = await serve();
  const request = plain('user_id=ada&id=lamp-1', 'X-Request-Id: mine');
  const cuts = Array.from({ length: request.length - 1 }, (_, i) => i + 1);
  const replies = await Promise.all(
    cuts.map((at) => talk(server, [request.slice(0, at), request.slice(at)])),
  );
  for (const { bodies, text } of replies) {
    assert.deepEqual(
      bodies.map(({ query }) => query),
      [{ user_id: 'ada', id: 'lamp-1' }],
    );
    assert.match(text, /x-request-id: mine\r\n/i);
  }
});

test('a client that closes its side behind a request hears the answer, and then the end', async () => {
  const slow = async () => {
    await sleep(30);
    return json(200, { via: 'lane' });
  };
  const server = await serve({ checkout: slow });
  const { bodies, closed } = await talk(server, [plain()], { ends: true });
  assert.deepEqual([bodies.length, closed], [1, true]);
});

test('an answer that is more than ASCII has its length in bytes', async () => {
  const body = { name: 'Löwe 🦁' };
  const { text } = await talk(await serve({ checkout: async () => json(200, body) }), [plain()]);
  const [head = '', got = ''] = text.split('\r\n\r\n');
  assert.deepEqual(JSON.parse(got), body);
  assert.match(head, new RegExp(`Content-Length: ${Buffer.byteLength(JSON.stringify(body))}\r\n`));
});

test('a handler that fails is answered 500 without a word of why', async () => {
  const failing = () => Promise.reject(new Error('secret'));
  const { text } = await talk(await serve({ checkout: failing }), [plain()]);
  assert.match(text, /^HTTP\/1\.1 500 Internal Server Error\r\n/);
  assert.match(text, /"code":"internal_error"/);
  assert.doesNotMatch(text, /secret/);
});

test('what comes behind the last answer of a connection is not served', async () => {
  const reached: unknown[] = [];
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const checkout: Route['answer'] = async ({ query }) => {
    reached.push(query.get('id'));
    await released;
    return json(200, { via: 'lane', query: {} });
  };
  const { server } = await serve({ checkout });
  const { port } = server.address() as AddressInfo;
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let text = '';
  socket.setEncoding('utf8').on('data', (part) => {
    text += part;
  });
  socket.write(plain('id=1', 'Connection: close'));
  while (reached.length === 0) await sleep(1);
  socket.write(plain('id=2'));
  await sleep(5);
  release();
  await once(socket, 'end');
  socket.destroy();
  assert.deepEqual([text.match(/HTTP\/1\.1 200/g)?.length, reached], [1, ['1']]);
});

test('a worker that leaves says so with its answers, and lets silent connections go', async () => {
  let leaving = false;
  const made = await serve({}, { asksToClose: () => leaving });
  const { port } = made.server.address() as AddressInfo;
  const silent = connect(port, '127.0.0.1');
  await once(silent, 'connect');
  silent.write(plain());
  await once(silent, 'data');
  leaving = true;
  const { text, closed } = await talk(made, [plain()]);
  assert.match(text, /Connection: close\r\n/);
  assert.equal(closed, true);
  const gone = once(silent, 'close');
  await made.closeGently(8_000);
  await gone;
});

test('a client that is still fetching its answer is not cut off by a worker that leaves', async () => {
  const body = 'x'.repeat(6 << 20);
  const made = await serve({ checkout: () => ({ status: 200, type: 'text/plain', body }) });
  const { port } = made.server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1');
  let received = 0;
  socket.once('data', () => {
    socket.pause();
    void made.closeGently(30_000);
    // Past the moment at which silent connections are let go.
    setTimeout(() => socket.resume(), 1_300);
  });
  socket.on('data', (chunk: Buffer) => {
    received += chunk.length;
    if (received > body.length) socket.end();
  });
  socket.write(plain());
  await once(socket, 'close');
  assert.ok(received > body.length, `${received} of ${body.length} bytes`);
});
