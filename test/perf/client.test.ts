import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { Lost, openConnection, readReply } from '../../perf/client.ts';

const WHOLE = 'HTTP/1.1 503 Service Unavailable\r\ncontent-length: 4\r\nRetry-After: 2\r\n\r\nbody';

test('an answer is read once it is whole, and not before', () => {
  for (let end = 0; end < WHOLE.length; end++) assert.equal(readReply(WHOLE.slice(0, end)), undefined);
  assert.deepEqual(readReply(WHOLE), { status: 503, retryAfterS: 2, body: 'body', closes: false });
});

test('a chunked answer is put together, and not before its last chunk', () => {
  const text =
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n';
  for (let end = 0; end < text.length; end++) assert.equal(readReply(text.slice(0, end)), undefined);
  assert.deepEqual(readReply(text), { status: 200, retryAfterS: 0, body: 'abcde', closes: true });
});

test('a connection is kept, is lost aloud, and comes back with the next request', async () => {
  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    socket.on('error', () => {});
    socket.on('data', (request) => {
      if (String(request).startsWith('GET /cut ')) socket.destroy();
      else socket.write(WHOLE.slice(0, 20), () => setTimeout(() => socket.write(WHOLE.slice(20)), 5));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const connection = openConnection(`http://127.0.0.1:${(server.address() as { port: number }).port}`);
  assert.equal((await connection.request('POST', '/')).body, 'body');
  assert.equal((await connection.request('GET', '/')).status, 503);
  assert.equal(connections, 1);
  await assert.rejects(connection.request('GET', '/cut '), Lost);
  assert.equal((await connection.post('/', '{}')).status, 503);
  assert.equal(connections, 2);
  connection.close();
  server.close();
});
