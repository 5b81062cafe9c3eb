/** Starts first: it takes among the longest. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keysOf } from '../src/store/keys.ts';
import { signalAll, stillRunning, until } from './support/processes.ts';
import { type Service, startService } from './support/service.ts';
import { addShelf, assertProblem, checkout, fillCart, purchase, receiptIn } from './support/shop.ts';
import { connectStores, temporaryDir } from './support/stores.ts';

/** What customers know before the service is killed. */
async function trade({ http }: Service) {
  const { sale, items } = await addShelf(http, { total_items: 6 });
  const code = await fillCart(http, 'ada', items.slice(0, 2), sale);
  const { status, body: receipt } = await purchase(http, code);
  assert.equal(status, 200);
  const openCode = await fillCart(http, 'bob', [items[2]!], sale);
  assert.equal((await checkout(http, 'cleo', items[0]!, sale)).status, 409);
  return { sale, items, code, receipt, openCode };
}

/** A start on the same data finds all of it, and sells on to the last item. */
async function assertKept(service: Service, known: Awaited<ReturnType<typeof trade>>): Promise<void> {
  const { http } = service;
  const { sale, items, code, receipt, openCode } = known;
  assert.deepEqual(receiptIn(await http.get(`/purchases/${code}`)), receipt);
  const again = await purchase(http, code);
  assertProblem(again, 409, 'already_processed', 'receipt');
  assert.deepEqual(again.body.receipt, receipt);
  assert.equal((await checkout(http, 'dora', items[0]!, sale)).body.code, 'item_already_sold');
  assert.equal((await http.get(`/sales/${sale}`)).body.items_sold, 2);
  assert.equal((await purchase(http, openCode)).body.total_purchased, 1, 'the open cart as well');
  const rest = await purchase(http, await fillCart(http, 'eve', items.slice(3), sale));
  assert.equal(rest.body.total_purchased, 3);
  const { sql } = await connectStores(service.redisUrl, service.databaseUrl);
  assert.equal((await sql('select 1 from purchases where sale_id = $1', sale)).length, 6);
  const attempts = await until('the attempt log', async () => {
    const rows = await sql('select outcome from checkout_attempts where sale_id = $1', sale);
    return rows.length >= 8 && rows;
  });
  assert.equal(attempts.length, 8, 'those of before the kill are logged, once');
}

test('after kill -9 of the primary nothing of it is left, and the next start has everything that was confirmed', async () => {
  const dataDir = temporaryDir();
  const first = await startService({ DATA_DIR: dataDir, WORKERS: '2' });
  const known = await trade(first);
  const tree = first.tree();
  process.kill(first.pid, 'SIGKILL');
  await first.exit;
  await until('no process left', () => stillRunning(tree).length === 0);
  const second = await startService({ DATA_DIR: dataDir, WORKERS: '2' });
  await assertKept(second, known);
  await second.stop();
});

test('a start right after kill -9 of the primary takes over what still runs', async () => {
  const dataDir = temporaryDir();
  const first = await startService({ DATA_DIR: dataDir, WORKERS: '2' });
  const known = await trade(first);
  const tree = first.tree();
  process.kill(first.pid, 'SIGKILL');
  const second = await startService({ DATA_DIR: dataDir, WORKERS: '2' });
  await assertKept(second, known);
  // The guard of the first, which looks every 0.1 s whether its servers are gone, may be the last to leave.
  await until('nothing of the first is left', () => stillRunning(tree).length === 0);
  await second.stop();
});

test('after kill -9 of everything at once the next start has everything that was confirmed', async () => {
  const dataDir = temporaryDir();
  const first = await startService({ DATA_DIR: dataDir, WORKERS: '2' });
  const known = await trade(first);
  signalAll(first.tree(), 'SIGKILL');
  await first.exit;
  const second = await startService({ DATA_DIR: dataDir, WORKERS: '2' });
  await assertKept(second, known);
  await second.stop();
});

test('a purchase whose worker was killed before it knew of the commit is carried forward without being posted again', async () => {
  const service = await startService();
  const { http } = service;
  const { redis, sql } = await connectStores(service.redisUrl, service.databaseUrl);
  const { sale, items } = await addShelf(http, { total_items: 2 });
  const code = await fillCart(http, 'ada', items.slice(0, 1), sale);
  const postgres = service.server('postgres');
  const [worker] = await service.workers();
  signalAll(postgres, 'SIGSTOP');
  try {
    assertProblem(await purchase(http, code), 503, 'outcome_unknown');
    assert.equal(await redis.command('XLEN', keysOf(sale).outbox), 1);
    process.kill(worker!, 'SIGKILL');
  } finally {
    signalAll(postgres, 'SIGCONT');
  }
  await until('the outbox is swept', async () => (await redis.command('XLEN', keysOf(sale).outbox)) === 0);
  const rows = await until('Postgres', () => sql('select item_id from purchases where code = $1', code));
  assert.deepEqual(rows, [{ item_id: items[0] }]);
  const receipt = await until('the receipt', async () => {
    const found = await http.get(`/purchases/${code}`);
    return found.status === 200 && found;
  });
  assert.equal(receipt.body.total_purchased, 1);
  await service.stop();
});
