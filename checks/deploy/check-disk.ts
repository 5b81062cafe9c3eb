/**
 * `npm run check -- disk`: what clients see while a disk is full, and that the sale goes on once it has room. Needs root
 * (small file systems in memory), and Debian's postgresql.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { atEnd } from '../../test/support/at-end.ts';
import type { Reply } from '../../test/support/http.ts';
import { until } from '../../test/support/processes.ts';
import { freePort, type Service, startService } from '../../test/support/service.ts';
import { addShelf, checkout, fillCart, purchase, type Shelf } from '../../test/support/shop.ts';
import { openStores, temporaryDir } from '../../test/support/stores.ts';
import { mountDisk } from './full-disk.ts';
import { runTool, startCluster } from './postgres.ts';

const dir = temporaryDir();
const stores = await openStores();
const seen = (what: string, replies: Reply[]) =>
  console.log(
    `${what}: ${[...new Set(replies.map(({ status, body }) => `${status} ${body.code ?? ''}`))].join(', ')}`,
  );
const isCode = (code: string) => (reply: Reply) => reply.body?.code === code;

/** One cart after another is filled and bought, until both go through. */
const untilItSells = (service: Service, shelf: Shelf, items: string[]) =>
  until(
    'it sells again',
    async () => {
      const item = items.shift();
      assert.ok(item, 'no item is left');
      const filled = await checkout(service.http, `late-${items.length}`, item, shelf.sale);
      return filled.status === 200 && (await purchase(service.http, filled.body.code)).status === 200;
    },
    60_000,
  );

/** Fills the disk's last page, too. */
const untilRefused = (service: Service, shelf: Shelf, items: string[]) =>
  until('a refusal', async () => {
    const reply = await checkout(service.http, `user-${items.length}`, items.shift()!, shelf.sale);
    return reply.status !== 200 && reply;
  });

test('spool disk full: checkouts are 503, purchases go on, and so does all once there is room', async () => {
  const disk = mountDisk(join(dir, 'spool-disk'), 16);
  const env = { REDIS_URL: stores.redisUrl, DATABASE_URL: stores.databaseUrl, DATA_DIR: disk.path };
  const service = await startService(env);
  const shelf = await addShelf(service.http, { total_items: 400 });
  const items = [...shelf.items];
  const code = await fillCart(service.http, 'ada', items.splice(0, 2), shelf.sale);
  disk.fill();
  const refused = await untilRefused(service, shelf, items);
  const replies = [refused];
  for (let i = 0; i < 5; i++)
    replies.push(await checkout(service.http, `more-${i}`, items.shift()!, shelf.sale));
  seen('checkouts', replies);
  assert.ok(replies.every(isCode('unavailable')));
  assert.equal((await purchase(service.http, code)).status, 200);
  assert.equal((await service.workers()).length, 1);
  disk.clear();
  await untilItSells(service, shelf, items);
  assert.ok(!service.log.some(({ msg }) => msg === 'a worker died'));
  await service.stop();
});

test('Redis disk full: 503 for both, nothing is sold, and it goes on once there is room', async () => {
  const disk = mountDisk(join(dir, 'redis-disk'), 16);
  const port = await freePort();
  const args = [
    '--dir',
    disk.path,
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--appendonly',
    'yes',
    '--save',
    '',
  ];
  const redis = spawn(process.env.REDIS_SERVER || 'redis-server', args, { stdio: 'ignore' });
  const exit = once(redis, 'exit');
  atEnd(async () => {
    redis.kill('SIGKILL');
    await exit;
  });
  const service = await startService({
    REDIS_URL: `redis://127.0.0.1:${port}`,
    DATABASE_URL: stores.databaseUrl,
  });
  const shelf = await addShelf(service.http, { total_items: 400 });
  const items = [...shelf.items];
  const code = await fillCart(service.http, 'ada', items.splice(0, 2), shelf.sale);
  disk.fill();
  // Redis notices at its next write, and refuses from then on.
  const refused = await untilRefused(service, shelf, items);
  const bought = await purchase(service.http, code);
  seen('checkout, purchase', [refused, bought]);
  assert.ok([refused, bought].every(isCode('unavailable')));
  disk.clear();
  await untilItSells(service, shelf, items);
  assert.equal((await purchase(service.http, code)).status, 200);
  await service.stop();
});

test('Postgres disk full: no purchase is confirmed that is not there, and it goes on once there is room', async () => {
  const disk = mountDisk(join(dir, 'postgres-disk'), 200, 'postgres');
  const server = await startCluster(join(disk.path, 'cluster'), await freePort(), ['max_wal_size = 64MB']);
  const service = await startService({ REDIS_URL: stores.redisUrl, DATABASE_URL: server.url });
  const shelf = await addShelf(service.http, { total_items: 900 });
  const items = [...shelf.items];
  const confirmed: string[] = [];
  const replies: Reply[] = [];
  const buy = async () => {
    const filled = await checkout(service.http, `user-${items.length}`, items.shift()!, shelf.sale);
    if (filled.status !== 200) return void replies.push(filled);
    const bought = await purchase(service.http, filled.body.code);
    if (bought.status === 200) confirmed.push(filled.body.code);
    else replies.push(bought);
  };
  for (let i = 0; i < 20; i++) await buy();
  disk.fill();
  // An existing log file still takes commits: fill it.
  const spam = "insert into migrations select 100000 + i, repeat('x', 900) from generate_series(1, 30000) i";
  assert.throws(() => runTool('psql', ['-d', server.url, '-qc', spam]));
  await until('refusals', async () => {
    await buy();
    return replies.length >= 10;
  });
  seen('while the disk is full', replies);
  assert.ok(replies.every(({ status }) => status === 503));
  disk.clear();
  console.log(`Postgres ${server.hasLeft() ? 'has left' : 'still runs'}`);
  // Its supervisor (systemd, compose) starts it again.
  if (server.hasLeft()) await server.start();
  await untilItSells(service, shelf, items);
  const there = runTool('psql', ['-d', server.url, '-Atc', 'select code from decisions']).split('\n');
  for (const code of confirmed) assert.ok(there.includes(code), code);
  console.log(`${confirmed.length} confirmed, all there`);
  await service.stop();
});
