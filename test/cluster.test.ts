/** Starts first: it takes among the longest. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { atEnd } from './support/at-end.ts';
import { openHttp } from './support/http.ts';
import { signalAll, stillRunning, treeOf, until } from './support/processes.ts';
import { freePort, runService, type Service, startService } from './support/service.ts';
import { addShelf, checkout, fillCart, purchase } from './support/shop.ts';
import { temporaryDir } from './support/stores.ts';

/** The primary and the workers: those that hear a Ctrl-C in their terminal. */
const ownProcesses = (service: Service) =>
  service.tree().filter(({ command }) => command.endsWith('main.js'));

test('from start to SIGTERM: all its processes serve, then none is left, and the next start has the same sale; idle connections hold nothing up', async () => {
  const dataDir = temporaryDir();
  const first = await startService({ DATA_DIR: dataDir, WORKERS: '2' });
  assert.equal((await first.workers()).length, 2);
  assert.equal(ownProcesses(first).length, 3);
  for (const name of ['redis', 'postgres'] as const) assert.ok(first.server(name).length > 0);
  const { body: sale } = await first.http.get('/sales/active');
  await first.stop('SIGTERM');
  assert.equal(existsSync(`${dataDir}/service.json`), false);
  assert.deepEqual(readdirSync(`${dataDir}/spool`), [], 'the attempt log is shipped');
  assert.ok(first.log.some(({ msg }) => msg === 'closed'));
  const second = await startService({ DATA_DIR: dataDir });
  assert.deepEqual((await second.http.get('/sales/active')).body, sale);
  const idle = openHttp(second.url);
  await Promise.all(Array.from({ length: 20 }, () => idle.get('/livez')));
  await second.stop();
  idle.close();
});

test('a Ctrl-C that npm passes on a moment later is the same one', async () => {
  const service = await startService({ WORKERS: '2' });
  service.child.kill('SIGINT');
  await service.saw('closing');
  service.child.kill('SIGINT');
  assert.equal(await service.exit, 0, service.complaints());
});

test('a second signal makes it leave at once, and nothing is left', async () => {
  const service = await startService({ WORKERS: '2' });
  const tree = service.tree();
  service.child.kill('SIGINT');
  service.child.kill('SIGTERM');
  assert.equal(await service.exit, 1);
  await until('no process left', () => stillRunning(tree).length === 0);
});

/** Starts what must not start: returns its one sentence, and asserts that nothing is left of it. */
async function refusalOf(env: Record<string, string>): Promise<string> {
  const run = await runService(env);
  const tree = treeOf(run.child.pid!);
  assert.equal(await run.exit, 1);
  assert.deepEqual(stillRunning(tree), []);
  const sentence = run.complaints();
  assert.match(sentence, /^flashsale: [^\n]+\.\n$/, 'one sentence, no stack');
  assert.ok(!run.log.some(({ msg }) => msg === 'open'));
  return sentence;
}

/** What the tests from here on disturb, and the last of them ends. */
const service = await startService({ WORKERS: '2' });

test('SIGHUP replaces every worker under load without a failed request', async () => {
  const { sale, items } = await addShelf(service.http, { total_items: 1_000, user_limit: 100 });
  const before = await service.workers();
  let over = false;
  let answered = 0;
  const bought: string[] = [];
  const shop = async (n: number) => {
    const client = openHttp(service.url);
    for (let i = n; !over; i += 8) {
      const item = items[i % items.length]!;
      const taken = await checkout(client, `u${i}`, item, sale);
      assert.ok([200, 409].includes(taken.status), taken.text);
      if (taken.status !== 200) continue;
      const reply = await purchase(client, taken.body.code);
      assert.equal(reply.status, 200, reply.text);
      bought.push(taken.body.code);
      answered++;
    }
    client.close();
  };
  const shops = Promise.all(Array.from({ length: 8 }, (_, n) => shop(n)));
  await until('traffic', () => answered > 50);
  service.child.kill('SIGHUP');
  await service.saw('rolling restart done');
  const atTheEnd = answered;
  await Promise.race([until('more traffic', () => answered > atTheEnd || bought.length === 1_000), shops]);
  over = true;
  await shops;
  const after = await service.workers();
  assert.ok(after.every((pid) => !before.includes(pid)));
  assert.equal((await service.http.get(`/sales/${sale}`)).body.items_sold, bought.length);
  assert.ok(!service.log.some(({ msg }) => msg === 'a worker died'));
});

test('a worker that is killed is replaced into its slot, and the service goes on', async () => {
  const before = await service.workers();
  process.kill(before[1]!, 'SIGKILL');
  const after = await until('another worker', async () => {
    const pids = await service.workers();
    return pids[1] !== before[1] && pids;
  });
  assert.equal(after[0], before[0]);
  assert.equal((await service.saw('a worker died')).slot, 1);
  const { sale, items } = await addShelf(service.http, { total_items: 20 });
  const replies = await Promise.all(items.map((item, i) => checkout(service.http, `u${i}`, item, sale)));
  assert.ok(replies.every(({ status }) => status === 200));
});

test('when every worker is killed at once the service comes back, with what it had sold', async () => {
  const { sale, items } = await addShelf(service.http, { total_items: 3 });
  const code = await fillCart(service.http, 'ada', items.slice(0, 1), sale);
  const { body: receipt } = await purchase(service.http, code);
  const deaths = () => service.log.filter(({ msg }) => msg === 'a worker died').length;
  const before = deaths();
  for (const pid of await service.workers()) process.kill(pid, 'SIGKILL');
  await until('both deaths', () => deaths() === before + 2);
  const client = openHttp(service.url);
  const again = await until('an answer', () => purchase(client, code));
  assert.deepEqual(again.body.receipt, receipt);
  assert.equal((await until('two workers', () => service.workers())).length, 2);
  client.close();
});

test('who connects while workers are killed is answered or reset, never left hanging', async () => {
  for (const pid of await service.workers()) process.kill(pid, 'SIGKILL');
  const client = openHttp(service.url);
  const requests = Promise.allSettled(Array.from({ length: 10 }, () => client.get('/livez')));
  const outcome = await Promise.race([requests, sleep(3_000).then(() => 'left hanging')]);
  client.close();
  assert.notEqual(outcome, 'left hanging');
  await until('two workers', async () => (await service.workers()).length === 2);
});

test('a second service on the same data is refused, and the first goes on', async () => {
  assert.match(
    await refusalOf({ DATA_DIR: service.dataDir }),
    new RegExp(`process ${service.pid}.*DATA_DIR`),
  );
  assert.equal((await service.http.get('/readyz')).status, 200);
});

test('a Ctrl-C that reaches every process of the terminal ends it as well, with requests under way answered', async () => {
  const { sale, items } = await addShelf(service.http, { total_items: 50 });
  const client = openHttp(service.url);
  await Promise.all(items.map(() => client.get('/livez')));
  const underWay = items.map((item, i) => checkout(client, `user${i}`, item, sale));
  const tree = service.tree();
  signalAll(ownProcesses(service), 'SIGINT');
  for (const reply of await Promise.all(underWay)) assert.equal(reply.status, 200, reply.text);
  client.close();
  assert.equal(await service.exit, 0, service.complaints());
  assert.deepEqual(stillRunning(tree), []);
});

test('a port in use is refused with one sentence, before anything is started', async () => {
  const holder = createServer().listen(await freePort(), '127.0.0.1');
  atEnd(() => holder.close());
  await until('the port is held', () => holder.listening);
  const { port } = holder.address() as { port: number };
  const dataDir = temporaryDir();
  const sentence = await refusalOf({ PORT: String(port), DATA_DIR: dataDir });
  assert.match(sentence, new RegExp(`127\\.0\\.0\\.1:${port} .*set PORT`));
  assert.deepEqual(readdirSync(dataDir), []);
});

const noProc = process.platform !== 'linux' && 'there is no /proc';
test('a data directory that cannot be made is refused by its variable', { skip: noProc }, async () => {
  for (const path of ['/proc/x', '/proc/x/y'])
    assert.match(
      await refusalOf({ DATA_DIR: path }),
      /^flashsale: DATA_DIR \/proc\/x(\/y)? cannot be used: .*\/proc\/x/,
    );
});

test('a bad configuration is refused with all errors at once', async () => {
  const sentence = await refusalOf({ WORKERS: '0', SALE_ITEMS: 'many', LOG_LEVEL: 'loud', REDIS_URL: 'x' });
  for (const name of ['WORKERS', 'SALE_ITEMS', 'LOG_LEVEL', 'REDIS_URL'])
    assert.match(sentence, new RegExp(`${name} must be`));
});

test('a Redis or Postgres that cannot be reached is refused by its variable', async () => {
  const port = await freePort();
  assert.match(
    await refusalOf({ REDIS_URL: `redis://127.0.0.1:${port}` }),
    /Redis cannot be reached.*REDIS_URL/,
  );
  assert.match(
    await refusalOf({ DATABASE_URL: `postgres://127.0.0.1:${port}/x` }),
    /Postgres cannot be reached.*DATABASE_URL/,
  );
});
