import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCheckouts } from '../../src/store/checkouts.ts';
import { decideCodes, forgetEntries } from '../../src/store/decide.ts';
import { fenceOf } from '../../src/store/fence.ts';
import { keysOf } from '../../src/store/keys.ts';
import type { Postgres } from '../../src/store/postgres.ts';
import { createPurchases } from '../../src/store/purchases.ts';
import { rebuildSale } from '../../src/store/rebuild.ts';
import { retireSale } from '../../src/store/retire.ts';
import { until } from '../support/processes.ts';
import { openSale, openStores, type TestSale } from '../support/stores.ts';

const stores = await openStores();
const { redis, postgres, sql } = stores;

const found: string[] = [];
const salvaged: number[] = [];
const retire = (sale: TestSale, afterMs = 0, from: Postgres = postgres) =>
  retireSale(redis, from, sale, {
    afterMs,
    onContradiction: assert.fail,
    onSalvaged: (decisions) => void salvaged.push(decisions),
    onDifferences: (differences) => void found.push(...differences.map(({ check }) => check)),
  });
const cart = async (sale: TestSale, userId: string, item: number) =>
  (await createCheckouts(redis, () => sale).add({ userId, itemId: sale.itemIds[item]! })).code;
async function buy(sale: TestSale, userId: string, item: number): Promise<string> {
  const purchases = createPurchases({
    ...{ redis, postgres, sale: () => sale },
    ...{ onError: assert.ifError, forgetAfterMs: 0 },
  });
  const code = await cart(sale, userId, item);
  assert.equal((await purchases.add(code)).outcome, 'decided');
  await until('it is forgotten', async () => (await redis.command('XLEN', keysOf(sale.id).outbox)) === 0);
  return code;
}
const untilItsEnd = (sale: TestSale) =>
  until('its end', async () => {
    const [time] = (await redis.command('TIME')) as string[];
    return Number(time) * 1_000 > sale.endsAtMs;
  });
const keysLeft = (sale: TestSale) => redis.command('EXISTS', ...Object.values(keysOf(sale.id)));
const isRetired = async (sale: TestSale) =>
  (await sql('select retired from sales where id = $1', sale.id))[0]?.retired;

test('a sale is retired once it has ended for long enough and its outbox is empty, and all its keys go', async () => {
  const sale = await openSale(stores, { endsIn: 500 });
  await cart(sale, 'bob', 1);
  const code = await cart(sale, 'ada', 0);
  const { entryId } = await decideCodes(redis, sale, [code]);
  assert.equal(await retire(sale), false, 'it has not ended');
  await untilItsEnd(sale);
  assert.equal(await retire(sale), false, 'a decision waits');
  await forgetEntries(redis, sale.id, fenceOf(sale.epoch), [entryId]);
  assert.equal(await retire(sale, 60_000), false, 'it has not ended for a minute');
  assert.ok(Number(await keysLeft(sale)) >= 8);
  assert.equal(await retire(sale), true);
  assert.deepEqual([await keysLeft(sale), await isRetired(sale)], [0, true]);
});

test('an open sale is never retired, however fast our clock is, and also when Redis is empty', async (t) => {
  const sale = await openSale(stores);
  t.mock.method(Date, 'now', () => sale.endsAtMs + 3_600_000);
  assert.equal(await retire(sale), false);
  await redis.command('DEL', ...Object.values(keysOf(sale.id)));
  assert.equal(await retire(sale), false);
  assert.equal(await isRetired(sale), false);
});

test('a sale that is over and not whole in Redis is rebuilt before it is retired', async () => {
  const sale = await openSale(stores, { endsIn: 500 });
  await untilItsEnd(sale);
  await redis.command('DEL', keysOf(sale.id).gate);
  assert.equal(await retire(sale), false);
  const rebuilt = await rebuildSale(redis, postgres, sale.id, assert.fail);
  assert.equal(await retire({ ...sale, epoch: rebuilt!.epoch }), true);
});

test('what Postgres has lost is committed again before the last copy of it goes', async () => {
  const sale = await openSale(stores, { endsIn: 1_500 });
  const code = await buy(sale, 'ada', 0);
  await sql('delete from decisions where code = $1', code);
  await sql('delete from purchases where code = $1', code);
  await untilItsEnd(sale);
  assert.equal(await retire(sale), true);
  assert.equal(salvaged.at(-1), 1);
  assert.deepEqual(await sql('select user_id from purchases where code = $1', code), [{ user_id: 'ada' }]);
});

test('a Postgres that comes back older after it was compared keeps the sale from being retired', async () => {
  const sale = await openSale(stores, { endsIn: 1_500 });
  const code = await buy(sale, 'ada', 0);
  await untilItsEnd(sale);
  let isOlder = false;
  const query: Postgres['query'] = async (statement, values) => {
    if (statement.name === 'count_decisions' && !isOlder) {
      isOlder = true;
      await sql('delete from decisions where code = $1', code);
      await sql('delete from purchases where code = $1', code);
    }
    return postgres.query(statement, values);
  };
  const goesBack: Postgres = Object.create(postgres, { query: { value: query } });
  assert.equal(await retire(sale, 0, goesBack), false);
  assert.equal(await retire(sale), true);
  assert.equal(salvaged.at(-1), 1);
});

test('a sale whose books differ is not retired until it has been rebuilt', async () => {
  const sale = await openSale(stores, { endsIn: 1_500 });
  await buy(sale, 'ada', 0);
  await redis.command('HINCRBY', keysOf(sale.id).bought, 'ada', '1');
  await untilItsEnd(sale);
  assert.equal(await retire(sale), false);
  assert.deepEqual(found, ['users']);
  assert.ok(Number(await keysLeft(sale)) >= 6);
  assert.match(String(await redis.command('GET', keysOf(sale.id).gate)), /^doubted:v1:/);
  const rebuilt = await rebuildSale(redis, postgres, sale.id, assert.fail);
  assert.equal(rebuilt?.doubted, true);
  assert.equal(await retire({ ...sale, epoch: rebuilt!.epoch }), true);
});
