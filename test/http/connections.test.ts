import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { test } from 'node:test';
import { closeUnread, connectionsMax } from '../../src/http/connections.ts';
import { atEnd } from '../support/at-end.ts';

/** More than the kernel takes for both ends of a connection. */
const LARGE = Buffer.alloc(64 << 20);
const USUAL = Buffer.alloc(200_000);

const server = createServer((req, res) => void res.end(req.url === '/large' ? LARGE : USUAL));
closeUnread(server, 300, 50);
server.listen(0, '127.0.0.1');
await once(server, 'listening');
atEnd(() => server.close());

const ask = (path: string) => {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
  return socket;
};

test('a client that does not fetch its answer is closed', async () => {
  const served = once(server, 'connection');
  const socket = ask('/large').pause();
  const [connection] = await served;
  await once(connection, 'close');
  assert.ok(connection.bytesWritten > 0);
  socket.destroy();
});

test('a client that fetches its answer hears all of it', async () => {
  const socket = ask('/');
  let bytes = 0;
  for await (const chunk of socket) {
    bytes += chunk.length;
    if (bytes > USUAL.length) break;
  }
  assert.ok(bytes > USUAL.length);
});

test('connections leave room for the files that a worker needs besides', () => {
  assert.equal(connectionsMax(1, 256), 192);
  assert.equal(connectionsMax(2, 256), 96);
  assert.equal(connectionsMax(1, 10), 1);
  assert.equal(connectionsMax(1, 1 << 20), 20_000);
});
