import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closing, openRaw } from '../../campaigns/hardening/raw.ts';
import { startService } from '../support/service.ts';
import { checkout } from '../support/shop.ts';

const FILES_MAX = 256;
const service = await startService({ WORKERS: '1', SALE_ITEMS: '5' }, FILES_MAX);

/** Connects and asks; true when it is answered, false when it is closed. */
async function ask(): Promise<{ answered: boolean; leave(): void }> {
  const socket = openRaw(service.url);
  socket.on('error', () => {});
  socket.write('GET /livez HTTP/1.1\r\nHost: a\r\n\r\n');
  const answered = await Promise.race([
    new Promise<boolean>((resolve) => socket.once('data', () => resolve(true))),
    closing(socket).then(() => false),
  ]);
  return { answered, leave: () => socket.destroy() };
}

test('with 256 open files, connections past what is left of them are closed, and the worker goes on selling', async () => {
  const [pid] = await service.workers();
  const clients = await Promise.all(Array.from({ length: 2 * FILES_MAX }, ask));
  const answered = clients.filter((client) => client.answered).length;
  assert.ok(answered >= FILES_MAX / 2 && answered < FILES_MAX, `${answered} were answered`);
  for (const client of clients) client.leave();
  const sale = (await service.http.get('/sales/active')).body.id;
  const [item] = (await service.http.get(`/sales/${sale}/items`)).body;
  assert.equal((await checkout(service.http, 'ada', item.id)).status, 200);
  assert.deepEqual(await service.workers(), [pid]);
});
