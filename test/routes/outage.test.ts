import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keysOf } from '../../src/store/keys.ts';
import type { Reply } from '../support/http.ts';
import { signalAll, until } from '../support/processes.ts';
import { startService } from '../support/service.ts';
import { addShelf, assertProblem, checkout, fillCart, purchase } from '../support/shop.ts';
import { connectStores } from '../support/stores.ts';

const service = await startService();
const { http } = service;
const { redis, sql } = await connectStores(service.redisUrl, service.databaseUrl);
const { sale, items } = await addShelf(http, { total_items: 60, user_limit: 20 });
let users = 0;
let taken = 0;

/** The code of a cart of a new user with one item that no other cart of this file has. */
const nextCart = () => fillCart(http, `user${users++}`, [items[taken++]!], sale);
/** A good client: posts the code until it has an outcome, and may hear it a second time. */
const resolve = (code: string) =>
  until(`the outcome of ${code}`, async () => {
    const reply = await purchase(http, code, { 'Idempotency-Key': 'again' });
    return reply.status !== 503 && reply;
  });

function assertBought(reply: Reply): void {
  assert.deepEqual([reply.status, reply.body.total_purchased], [200, 1], reply.text);
}
async function assertOneRow(code: string): Promise<void> {
  assert.equal((await sql('select 1 from purchases where code = $1', code)).length, 1);
  assert.equal((await sql('select 1 from decisions where code = $1', code)).length, 1);
}
async function assertDown(part: 'redis' | 'database', check: string): Promise<void> {
  const health = await http.get('/health');
  assert.equal(health.status, 503);
  const up = { app: 'UP', database: 'UP', redis: 'UP' };
  assert.deepEqual(health.body.services_status, { ...up, [part]: 'DOWN' });
  const ready = await http.get('/readyz');
  assertProblem(ready, 503, 'unavailable', 'checks');
  assert.equal(ready.body.checks[check], false);
  assert.equal((await http.get('/livez')).status, 200);
}

test('while Redis is silent nothing is sold, and everything is answered; then the code has one outcome', async () => {
  const bought = await nextCart();
  assertBought(await purchase(http, bought));
  const [code, later] = [await nextCart(), await nextCart()];
  signalAll(service.server('redis'), 'SIGSTOP');
  try {
    assertProblem(await purchase(http, code), 503, 'outcome_unknown');
    assertProblem(await purchase(http, later), 503, 'unavailable');
    assertProblem(await checkout(http, 'ada', items.at(-1)!, sale), 503, 'unavailable');
    await assertDown('redis', 'redis');
    assert.equal((await http.get(`/sales/${sale}`)).body.items_sold, 1);
    assert.equal((await http.get(`/purchases/${bought}`)).status, 200);
  } finally {
    signalAll(service.server('redis'), 'SIGCONT');
  }
  for (const each of [code, later]) {
    assertBought(await resolve(each));
    await assertOneRow(each);
  }
  await until('ready again', async () => (await http.get('/readyz')).status === 200);
});

test('a Redis that is killed comes back, and sells on with its carts and without what is sold', async () => {
  const [bought, open] = [await nextCart(), await nextCart()];
  const soldItem = items[taken - 2]!;
  assertBought(await purchase(http, bought));
  signalAll(service.server('redis'), 'SIGKILL');
  assertBought(await resolve(open));
  await assertOneRow(open);
  const again = await checkout(http, 'bob', soldItem, sale);
  assert.equal(again.body.code, 'item_already_sold');
  assertBought(await resolve(bought));
  assertBought(await resolve(await nextCart()));
});

test('a Redis that was emptied sells on once it is rebuilt, and nothing twice', async () => {
  const [bought, open] = [await nextCart(), await nextCart()];
  const [soldItem = '', openItem = ''] = items.slice(taken - 2, taken);
  assertBought(await purchase(http, bought));
  await redis.command('FLUSHALL');
  const reply = await until('the sale is rebuilt', async () => {
    const found = await checkout(http, 'cleo', openItem, sale);
    assert.ok([200, 503].includes(found.status), found.text);
    return found.status === 200 && found;
  });
  assert.equal((await checkout(http, 'cleo', soldItem, sale)).body.code, 'item_already_sold');
  assertProblem(await purchase(http, open), 404, 'checkout_not_found');
  assertBought(await purchase(http, reply.body.code));
  const again = await purchase(http, bought);
  assertProblem(again, 409, 'already_processed', 'receipt');
  assert.equal(again.body.receipt.purchased_items[0].id, soldItem);
  // The hour's sale is rebuilt after this one, and from Postgres, which the next test silences.
  const { id } = (await http.get('/sales/active')).body;
  await until('it', async () => (await redis.command('HEXISTS', keysOf(id).sale, 'sold')) === 1);
});

test('while Postgres is silent purchases are refused before they are decided, and checkouts go on', async () => {
  const codes = [await nextCart(), await nextCart()] as const;
  const postgres = service.server('postgres');
  signalAll(postgres, 'SIGSTOP');
  let during = '';
  try {
    assertProblem(await purchase(http, codes[0]), 503, 'outcome_unknown');
    for (let i = 0; i < 3; i++) assertProblem(await purchase(http, codes[1]), 503, 'unavailable');
    assert.equal(await redis.command('HEXISTS', keysOf(sale).decisions, codes[1]), 0);
    during = await nextCart();
    assert.equal((await checkout(http, 'joe', items.at(-1)!, sale)).status, 200);
    await assertDown('database', 'postgres');
    const reads = ['/sales', `/sales/${sale}/items?limit=7`, `/purchases/${codes[0]}`];
    assert.equal((await http.get(`/sales/${sale}`)).status, 200, 'what Redis knows is shown');
    // The first read that is late cannot know whether Postgres is away or only busy with it.
    assertProblem(await http.get('/sales'), 503, 'overloaded');
    await until('it is known', async () => (await http.get('/sales')).body.code === 'unavailable');
    for (const path of reads) assertProblem(await http.get(path), 503, 'unavailable');
    assertProblem(await http.post('/admin/sales', { body: { total_items: 1 } }), 503, 'unavailable');
    assertProblem(await checkout(http, 'joe', 'x', 'S-0000000000'), 503, 'unavailable');
    const active = await http.get('/sales/active');
    assert.equal(active.status, 200, active.text);
  } finally {
    signalAll(postgres, 'SIGCONT');
  }
  for (const code of [...codes, during]) {
    assertBought(await resolve(code));
    await assertOneRow(code);
  }
});

test('attempts made while Postgres was silent are logged afterwards, each once', async () => {
  const rows = await until('the rows', async () => {
    const found = await sql(`select outcome from checkout_attempts where user_id = 'joe' order by outcome`);
    return found.length >= 2 && found;
  });
  assert.deepEqual(rows, [{ outcome: 'accepted' }, { outcome: 'unavailable' }]);
});

test('a Postgres that is killed comes back, with everything that was answered', async () => {
  const [bought, open] = [await nextCart(), await nextCart()];
  assertBought(await purchase(http, bought));
  signalAll(service.server('postgres'), 'SIGKILL');
  assertBought(await resolve(open));
  for (const code of [bought, open]) {
    const receipt = await until('the receipt', async () => {
      const found = await http.get(`/purchases/${code}`);
      return found.status !== 503 && found;
    });
    assertBought(receipt);
  }
});

test('after all this no item was sold twice and Redis agrees with Postgres', async () => {
  const [row] = await until('the test has Postgres again', () =>
    sql('select count(*)::int as sold from purchases where sale_id = $1', sale),
  );
  assert.equal(Number(await redis.command('HGET', keysOf(sale).sale, 'sold')), row!.sold);
  assert.equal((await http.get(`/sales/${sale}`)).body.items_sold, row!.sold);
  await until('an empty outbox', async () => (await redis.command('XLEN', keysOf(sale).outbox)) === 0);
});
