import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditSale } from '../../../src/store/audit/audit.ts';
import { createCheckouts } from '../../../src/store/checkouts.ts';
import { decideCodes } from '../../../src/store/decide.ts';
import { keysOf } from '../../../src/store/keys.ts';
import { openPostgres } from '../../../src/store/postgres.ts';
import { createPurchases } from '../../../src/store/purchases.ts';
import { rebuildSale } from '../../../src/store/rebuild.ts';
import { addSale, gateOf, openSale, openStores, type TestSale } from '../../support/stores.ts';

const stores = await openStores();
const { redis, postgres, sql } = stores;

const fail = (error: unknown) => assert.fail(String(error));
const audit = (saleId: string) => auditSale(redis, postgres, saleId);
/** The differences as lines "check subject problem". */
const lines = async (saleId: string) =>
  (await audit(saleId)).map(({ check, subject, problem }) => `${check} ${subject} ${problem}`);

async function fillCart(sale: TestSale, userId: string, items: readonly string[]): Promise<string> {
  const checkouts = createCheckouts(redis, () => sale);
  let code = '';
  for (const itemId of items) code = (await checkouts.add({ userId, itemId })).code;
  return code;
}

async function buy(sale: TestSale, userId: string, items: readonly string[]): Promise<string> {
  const code = await fillCart(sale, userId, items);
  const purchases = createPurchases({ redis, postgres, sale: () => sale, onError: fail });
  const { outcome } = await purchases.add(code);
  assert.equal(outcome, 'decided');
  await outboxIsEmpty(sale);
  return code;
}

async function outboxIsEmpty(sale: TestSale): Promise<void> {
  while ((await redis.command('XLEN', keysOf(sale.id).outbox)) !== 0)
    await new Promise((r) => setTimeout(r, 5));
}

/** A sale of five items, of which ann has bought two and bob one. */
async function openBooks() {
  const sale = await openSale(stores, { items: 5, limit: 3 });
  const [first, second, third, fourth, fifth] = sale.itemIds as [string, string, string, string, string];
  const ann = await buy(sale, 'ann', [first, second]);
  const bob = await buy(sale, 'bob', [third]);
  return { sale, keys: keysOf(sale.id), first, second, third, fourth, fifth, ann, bob };
}

test('the books of a sale that is sold in part, and of one that has not begun, agree', async () => {
  const { sale } = await openBooks();
  assert.deepEqual(await audit(sale.id), []);
  const next = await openSale(stores, { startsIn: 60_000 });
  assert.deepEqual(await audit(next.id), []);
});

test('decisions that wait in the outbox to be committed are no differences', async () => {
  const { sale, fourth, fifth } = await openBooks();
  await decideCodes(redis, sale, [
    await fillCart(sale, 'cid', [fourth]),
    await fillCart(sale, 'ann', [fifth]),
  ]);
  assert.equal(await redis.command('XLEN', keysOf(sale.id).outbox), 1);
  assert.deepEqual(await audit(sale.id), []);
});

test('a sale that sells while it is audited shows no differences', async () => {
  const sale = await openSale(stores, { items: 3_000 });
  const checkouts = createCheckouts(redis, () => sale);
  const purchases = createPurchases({ redis, postgres, sale: () => sale, onError: fail });
  let next = 0;
  const selling = Array.from({ length: 20 }, async (_, lane) => {
    for (let item = next++; item < sale.total; item = next++) {
      const userId = `u${lane}-${item % 400}`;
      const { code } = await checkouts.add({ userId, itemId: sale.itemIds[item] as string });
      await purchases.add(code);
    }
  });
  let audits = 0;
  while (next < sale.total) {
    assert.deepEqual(await audit(sale.id), []);
    audits++;
  }
  await Promise.all(selling);
  assert.ok(audits > 0);
  assert.deepEqual(await audit(sale.id), []);
});

/** Sells all of a sale behind the service's back, each item to a user of its own. */
async function sellAll({ id }: TestSale): Promise<void> {
  const sold = `select sale_id, id as item_id, 'CHK-' || sale_id || '-' || md5(id) as code, 'u' || position as user_id, now() as at
    from items where sale_id = $1`;
  await sql(
    `insert into decisions (code, sale_id, user_id, decided_at, lines)
     select code, sale_id, user_id, at, '+' || item_id from (${sold}) as sold`,
    id,
  );
  await sql(
    `insert into purchases (sale_id, item_id, code, user_id, purchased_at)
     select sale_id, item_id, code, user_id, at from (${sold}) as sold`,
    id,
  );
}

test('the audit of a sale that the statistics of Postgres do not know reads each row a few times', async () => {
  const items = 1_000;
  for (let n = 0; n < 3; n++) await sellAll(await addSale(stores, { items }));
  await sql('analyze');
  const sale = await addSale(stores, { items });
  await sellAll(sale);
  await rebuildSale(redis, postgres, sale.id, assert.fail);

  const session = await openPostgres({
    url: stores.databaseUrl,
    connectionsMax: 1,
    patient: false,
    onError: fail,
  });
  const run = (text: string) => session.query<{ rows: number }>({ name: '', text });
  const rowsRead = async () => {
    await run('select pg_stat_force_next_flush()');
    const text =
      'select sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::float8 as rows from pg_stat_user_tables';
    return (await run(text))[0]?.rows as number;
  };
  const before = await rowsRead();
  assert.deepEqual(await auditSale(redis, session, sale.id), []);
  const read = (await rowsRead()) - before;
  await session.close();
  // Items, purchases and decisions, each checked from both stores: some 20 rows for each item, and not a million.
  assert.ok(read > items && read < 100 * items, `${read} rows were read`);
});

test('an item that Redis has lost, or shows in another state than its purchases, is named', async () => {
  const { sale, keys, first, fourth, fifth, ann } = await openBooks();
  await redis.command('HSET', keys.items, first, '1', fourth, '0', 'stranger', '1');
  await redis.command('HDEL', keys.items, fifth);
  assert.deepEqual(
    (await lines(sale.id)).sort(),
    [
      `items ${fifth} is missing from Redis`,
      `items ${fourth} is sold in Redis, but no purchase holds it and none waits for it`,
      `items ${first} was bought with ${ann}, and yet Redis still sells it`,
      'items stranger is not one of the sale, and yet it is in Redis or among its purchases',
    ].sort(),
  );
});

test('a decision that only one store knows, or that has two outcomes, is named', async () => {
  const { sale, keys, fourth, third, ann, bob } = await openBooks();
  const lost = await fillCart(sale, 'cid', [fourth]);
  await decideCodes(redis, sale, [lost]);
  await redis.command('DEL', keys.outbox);
  await redis.command('HDEL', keys.decisions, ann);
  await redis.command('HSET', keys.decisions, bob, `1 bob -${third}`);
  const found = await lines(sale.id);
  assert.ok(
    found.includes(
      `decisions ${lost} was decided in Redis, but it is not in Postgres and does not wait in the outbox`,
    ),
  );
  assert.ok(found.includes(`decisions ${ann} was decided, and Redis does not know it`));
  assert.match(found.join('\n'), new RegExp(`decisions ${bob} has two outcomes: "1 bob -`));
});

test('a user whom Redis counts wrongly, or who holds more than the limit, is named', async () => {
  const { sale, keys } = await openBooks();
  await redis.command('HSET', keys.bought, 'bob', '2', 'nobody', '1');
  assert.deepEqual((await lines(sale.id)).sort(), [
    "users bob has bought 2 items by Redis' count, but 1 are committed and 0 wait",
    "users nobody has bought 1 items by Redis' count, but 0 are committed and 0 wait",
  ]);
  await redis.command('HSET', keys.bought, 'bob', '1');
  await redis.command('HDEL', keys.bought, 'nobody');
  await sql('update sales set user_limit = 1 where id = $1', sale.id);
  await redis.command('HSET', keys.sale, 'limit', '1');
  assert.deepEqual(await lines(sale.id), ['users ann holds 2 items, and the limit is 1']);
});

test('a waiting decision that can never be committed is named: its item is sold to somebody else', async () => {
  const { sale, keys, first, ann } = await openBooks();
  await redis.command('HSET', keys.items, first, '1');
  const second = await fillCart(sale, 'cid', [first]);
  await decideCodes(redis, sale, [second]);
  const found = await lines(sale.id);
  assert.ok(found.includes(`items ${first} is sold more than once: ${second}, ${ann}`), found.join('\n'));
});

test('a counter, a total or a gate that is wrong is named', async () => {
  const { sale, keys } = await openBooks();
  await redis.command('HINCRBY', keys.sale, 'sold', '1');
  assert.deepEqual(await lines(sale.id), [`sale ${sale.id} counts 4 items as sold in Redis, where 3 are`]);
  await redis.command('HINCRBY', keys.sale, 'sold', '-1');
  await redis.command('HSET', keys.sale, 'total', '6');
  assert.match(
    (await lines(sale.id)).join('\n'),
    /has start, end, total and limit .*, 6, 3 in Redis and .*, 5, 3 in Postgres$/,
  );
  await redis.command('HSET', keys.sale, 'total', '5');
  await redis.command('SET', keys.gate, await gateOf(redis, 9));
  assert.match((await lines(sale.id)).join('\n'), /lets in "v1:9:.*" at its gate instead of "v1:1:/);
  await redis.command('DEL', keys.gate);
  assert.deepEqual(await lines(sale.id), [
    `sale ${sale.id} cannot be sold: its gate in Redis is shut or missing`,
  ]);
  assert.deepEqual(await lines('S-0000000000'), ['sale S-0000000000 is not in Postgres']);
});

test('purchases and decisions that contradict one another are named, also of a retired sale', async () => {
  const { sale, first, second, third, ann, bob } = await openBooks();
  const other = await addSale(stores, { items: 1 });
  await redis.command('DEL', ...Object.values(keysOf(sale.id)));
  await sql('update sales set retired = true where id = $1', sale.id);
  assert.deepEqual(await audit(sale.id), []);
  await sql('delete from purchases where item_id = $1', second);
  await sql('delete from decisions where code = $1', bob);
  await sql("insert into purchases values ($1, $2, $3, 'ann', now())", sale.id, other.itemIds[0], ann);
  assert.deepEqual(
    (await lines(sale.id)).sort(),
    [
      `decisions ${ann} is committed, but purchases and returns do not add up to what it bought: ${second}`,
      `items ${third} was bought by bob with ${bob}, but the decision of that code does not say so`,
      `items ${other.itemIds[0]} is not one of the sale, and yet it is in Redis or among its purchases`,
    ].sort(),
  );
  assert.ok(first);
});
