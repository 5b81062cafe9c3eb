/**
 * `npm run check -- restore`: a box is lost in the middle of a sale, and the sale goes on from a dump, or from a base
 * backup and the log that was received until then. Needs Debian's postgresql; takes about half a minute.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startLocalServices } from '../../src/private/services.ts';
import { atEnd } from '../../test/support/at-end.ts';
import { signalAll, treeOf, until } from '../../test/support/processes.ts';
import { freePort, type Service, startService } from '../../test/support/service.ts';
import { addShelf } from '../../test/support/shop.ts';
import { temporaryDir } from '../../test/support/stores.ts';
import { type Buyers, type Sold, startBuyers } from './buyers.ts';
import { makeFolder, runTool, type Server, startCluster, startServer, startTool } from './postgres.ts';

const ITEMS = 600;
const root = fileURLToPath(new URL('../../../', import.meta.url));
const dir = temporaryDir();

/** An empty Redis. */
async function startRedis(name: string) {
  const dataDir = join(dir, name);
  const services = await startLocalServices({
    dataDir,
    redis: true,
    postgres: false,
    redisServer: process.env.REDIS_SERVER,
    onExit: () => {},
  });
  atEnd(services.stop);
  return { url: services.redisUrl!, stop: services.stop };
}

/** The service on a new box, with a new spool. */
const startOn = (redisUrl: string, databaseUrl: string) =>
  startService({ REDIS_URL: redisUrl, DATABASE_URL: databaseUrl, WORKERS: '2' });

const loseBox = async (service: Service) => {
  signalAll(treeOf(service.pid), 'SIGKILL');
  await service.exit;
  service.http.close();
};

const enough = (buyers: Buyers, count: number) =>
  until(`${count} purchases`, () => buyers.sold.length >= count, 20_000);

const query = (server: Server, text: string) => runTool('psql', ['-d', server.url, '-Atc', text]).trim();

const audit = (redisUrl: string, databaseUrl: string) =>
  spawnSync(
    process.execPath,
    [join(root, 'dist/perf/audit.js'), '--redis', redisUrl, '--database', databaseUrl],
    {
      encoding: 'utf8',
    },
  );

/** Each confirmed purchase has its receipt, and its item belongs to its code and to no other. */
async function assertKept(service: Service, server: Server, sale: string, confirmed: readonly Sold[]) {
  const rows = query(server, `select item_id, code from purchases where sale_id = '${sale}'`).split('\n');
  const codeOf = new Map(rows.map((row) => row.split('|') as [string, string]));
  for (const { item, code } of confirmed) assert.equal(codeOf.get(item), code, item);
  const { status, body } = await service.http.get(`/purchases/${confirmed[0]!.code}`);
  assert.deepEqual([status, body.purchased_items[0].id], [200, confirmed[0]!.item]);
}

/** Everything that is for sale is bought; then all items are sold, each once. */
async function sellOut(service: Service, server: Server, sale: string) {
  const page = await service.http.get(`/sales/${sale}/items?limit=1000&available=true`);
  const items: string[] = page.body.map((item: { id: string }) => item.id);
  const buyers = startBuyers({ sale, items, pauseMs: 0, http: () => service.http });
  await until('all is bought', () => items.length === 0, 20_000);
  await buyers.stop();
  assert.deepEqual([...buyers.failures], []);
  const counts = query(
    server,
    `select count(*), count(distinct item_id) from purchases where sale_id = '${sale}'`,
  );
  assert.equal(counts, `${ITEMS}|${ITEMS}`);
}

/** A sale on a box, and buyers at it. */
async function startSale(box: Service): Promise<{ sale: string; buyers: Buyers }> {
  const { sale, items } = await addShelf(box.http, { total_items: ITEMS });
  const buyers = startBuyers({ sale, items: [...items], pauseMs: 10, http: () => box.http });
  return { sale, buyers };
}

test('from a dump: the sale goes on, and what was confirmed before it began is there', async () => {
  const first = await startCluster(join(dir, 'first'), await freePort());
  const redis = await startRedis('redis-first');
  const box = await startOn(redis.url, first.url);
  const { sale, buyers } = await startSale(box);
  await enough(buyers, 100);

  const before = [...buyers.sold];
  const dump = makeFolder(join(dir, 'backup'));
  runTool('pg_dump', ['--format=custom', '--file', join(dump, 'flashsale.dump'), first.url]);
  await enough(buyers, before.length + 100);
  await loseBox(box);
  await buyers.stop();
  await first.kill();

  const second = await startCluster(join(dir, 'second'), await freePort());
  runTool('pg_restore', [
    '--exit-on-error',
    '--no-owner',
    '--dbname',
    second.url,
    join(dump, 'flashsale.dump'),
  ]);

  // The surviving Redis holds more than the dump: the audit reports it, and emptying Redis resolves it.
  const careless = await startOn(redis.url, second.url);
  const found = audit(redis.url, second.url);
  console.log(
    `with the old Redis: audit ${found.status}\n${found.stdout.split('\n').slice(0, 30).join('\n')}`,
  );
  await careless.stop();
  await redis.stop();

  const empty = await startRedis('redis-second');
  const service = await startOn(empty.url, second.url);
  await assertKept(service, second, sale, before);
  const kept = Number(query(second, `select count(*) from purchases where sale_id = '${sale}'`));
  console.log(
    `confirmed before the dump ${before.length}, until the loss ${buyers.sold.length}, restored ${kept}`,
  );
  assert.ok(kept < buyers.sold.length, 'nothing was lost: the check does not show what it should');
  await sellOut(service, second, sale);
  await assertKept(service, second, sale, before);
  const after = audit(empty.url, second.url);
  assert.equal(after.status, 0, after.stdout);
  await service.stop();
});

test('from a base backup and the received log: nothing that was confirmed is lost', async () => {
  const port = await freePort();
  const first = await startCluster(join(dir, 'third'), port);
  const wal = makeFolder(join(dir, 'wal'));
  const receiver = `host=127.0.0.1 port=${port} user=flashsale application_name=archive`;
  runTool('pg_receivewal', ['-D', wal, '--slot=archive', '--create-slot', '-d', receiver]);
  startTool('pg_receivewal', ['-D', wal, '--slot=archive', '--synchronous', '-d', receiver]);
  const at = ['-h', '127.0.0.1', '-p', String(port), '-U', 'flashsale'];
  query(first, "alter system set synchronous_standby_names = 'archive'");
  query(first, 'select pg_reload_conf()');
  await until(
    'the receiver is a synchronous standby',
    () => query(first, 'select sync_state from pg_stat_replication') === 'sync',
  );

  const redis = await startRedis('redis-third');
  const box = await startOn(redis.url, first.url);
  const { sale, buyers } = await startSale(box);
  await enough(buyers, 50);
  const base = makeFolder(join(dir, 'base'));
  runTool('pg_basebackup', [...at, '-D', base, '--checkpoint=fast', '--wal-method=stream']);
  await enough(buyers, buyers.sold.length + 150);
  // Kill everything at once, during purchases.
  await Promise.all([loseBox(box), first.kill(), redis.stop()]);
  await buyers.stop();

  // The backup's configuration still waits for the receiver: without this line no commit would end.
  appendFileSync(
    join(base, 'postgresql.auto.conf'),
    `restore_command = 'cp ${wal}/%f %p || cp ${wal}/%f.partial %p'\nsynchronous_standby_names = ''\n`,
  );
  writeFileSync(join(base, 'recovery.signal'), '');
  const second = await startServer(base, await freePort());
  const empty = await startRedis('redis-fourth');
  const service = await startOn(empty.url, second.url);
  await assertKept(service, second, sale, buyers.sold);
  console.log(`confirmed until the loss ${buyers.sold.length}, all restored`);
  await sellOut(service, second, sale);
  const after = audit(empty.url, second.url);
  assert.equal(after.status, 0, after.stdout);
  await service.stop();
});
