import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCheckouts } from '../../src/store/checkouts.ts';
import { commitDecisions } from '../../src/store/commit.ts';
import { decideCodes } from '../../src/store/decide.ts';
import { Unavailable } from '../../src/store/errors.ts';
import { keysOf } from '../../src/store/keys.ts';
import { addItems } from '../../src/store/more-items.ts';
import type { Postgres } from '../../src/store/postgres.ts';
import { createPurchases } from '../../src/store/purchases.ts';
import { rebuildSale } from '../../src/store/rebuild.ts';
import { countSold, isSellable } from '../../src/store/sales.ts';
import {
  addSale,
  foreignGateOf,
  gateOf,
  loadingGateOf,
  openSale,
  openStores,
  type TestSale,
} from '../support/stores.ts';

const stores = await openStores();
const { redis, postgres, sql } = stores;

/** Rebuilds, and returns the sale as it is then. */
async function rebuild(sale: TestSale): Promise<TestSale> {
  const rebuilt = await rebuildSale(redis, postgres, sale.id, assert.fail);
  assert.ok(rebuilt !== undefined);
  return { ...sale, epoch: rebuilt.epoch };
}
const cart = async (sale: TestSale, userId: string, itemId: string) =>
  (await createCheckouts(redis, () => sale).add({ userId, itemId })).code;
async function buy(sale: TestSale, userId: string, itemId: string): Promise<string> {
  const code = await cart(sale, userId, itemId);
  const purchases = createPurchases({ redis, postgres, sale: () => sale, onError: assert.ifError });
  assert.equal((await purchases.add(code)).outcome, 'decided');
  return code;
}
async function decideOnly(sale: TestSale, userId: string, itemId: string) {
  const code = await cart(sale, userId, itemId);
  const { results } = await decideCodes(redis, sale, [code]);
  return { code, decisions: results.flatMap((result) => ('decision' in result ? [result.decision] : [])) };
}
const outcomeOf = async (sale: TestSale, code: string) =>
  (await decideCodes(redis, sale, [code])).results[0]!.outcome;
const forgetAll = (sale: TestSale) => redis.command('DEL', ...Object.values(keysOf(sale.id)));

test('a new sale is loaded whole, and its gate opened for the epoch that is answered', async () => {
  const sale = await addSale(stores, { items: 2_500, limit: 7 });
  assert.equal(await isSellable(redis, { ...sale, epoch: 1 }), false);
  const loaded = await rebuild(sale);
  assert.equal(loaded.epoch, 1);
  assert.equal(await isSellable(redis, loaded), true);
  const k = keysOf(sale.id);
  assert.equal(await redis.command('GET', k.gate), await gateOf(redis, 1));
  assert.equal(await redis.command('HLEN', k.items), 2_500);
  assert.equal(await redis.command('HLEN', k.names), 2_500);
  const facts = await redis.command('HMGET', k.sale, 'starts_ms', 'ends_ms', 'total', 'sold', 'limit');
  assert.deepEqual(facts, [String(sale.startsAtMs), String(sale.endsAtMs), '2500', '0', '7']);
  assert.deepEqual(await sql('select epoch, opened_epoch from sales where id = $1', sale.id), [
    { epoch: 1, opened_epoch: 1 },
  ]);
});

test('after Redis was emptied, what is committed is sold, decided and counted; the rest is for sale', async () => {
  const sale = await openSale(stores, { limit: 2 });
  const [a = '', b = '', c = '', d = ''] = sale.itemIds;
  const codes = [await buy(sale, 'ada', a), await buy(sale, 'ada', b)];
  const lost = await cart(sale, 'bob', c);
  await forgetAll(sale);
  const again = await rebuild(sale);
  assert.equal(again.epoch, sale.epoch + 1);
  const k = keysOf(sale.id);
  assert.deepEqual(await redis.command('HMGET', k.items, a, b, c), ['0', '0', '1']);
  assert.equal(await countSold(redis, sale.id), 2);
  assert.equal(await redis.command('HGET', k.bought, 'ada'), '2');
  for (const code of codes) assert.equal(await outcomeOf(again, code), 'decided-before');
  assert.equal(await outcomeOf(again, lost), 'no-code');
  const results = await createCheckouts(redis, () => again).add({ userId: 'ada', itemId: d });
  assert.equal(results.outcome, 'limit');
  await buy(again, 'bob', c);
});

test('old data is replaced: a committed item that Redis still sells is sold, its code and cart are spent', async () => {
  const sale = await openSale(stores);
  const [a = '', b = ''] = sale.itemIds;
  const k = keysOf(sale.id);
  const code = await cart(sale, 'ada', a);
  const open = await cart(sale, 'bob', b);
  const copy = (await redis.command('HGETALL', k.carts)) as Record<string, string>;
  const decision = { code, saleId: sale.id, userId: 'ada', decidedMs: 1, lines: [`+${a}`] };
  await commitDecisions(postgres, sale, [decision]);
  await redis.command('SET', k.gate, foreignGateOf(sale.epoch));
  await redis.command('HSET', k.items, 'ghost', '1');
  const again = await rebuild(sale);
  assert.equal(await redis.command('HGET', k.items, a), '0');
  assert.equal(await redis.command('HGET', k.items, 'ghost'), null);
  assert.equal(await outcomeOf(again, code), 'decided-before');
  assert.equal(await redis.command('HGET', k.carts, 'ada'), null);
  assert.equal(await redis.command('HGET', k.carts, 'bob'), copy.bob, 'an open cart is kept');
  assert.equal(await outcomeOf(again, open), 'decided');
});

test('decisions that wait in the outbox are carried over: committed, and decided for ever', async () => {
  const sale = await openSale(stores, { items: 30 });
  const codes: string[] = [];
  for (const [i, item] of sale.itemIds.slice(0, 25).entries())
    codes.push((await decideOnly(sale, `u${i}`, item)).code);
  const again = await rebuild(sale);
  assert.equal((await sql('select 1 from purchases where sale_id = $1', sale.id)).length, 25);
  assert.equal(await countSold(redis, sale.id), 25);
  assert.equal(await redis.command('XLEN', keysOf(sale.id).outbox), 0);
  for (const code of codes) assert.equal(await outcomeOf(again, code), 'decided-before');
});

test('units that come while a rebuild has read the items already are for sale after the next one', async () => {
  const sale = await addSale(stores, { named: [{ id: 'poster', name: 'Poster', stock: 2 }], items: 2 });
  const more = [{ at: '', id: 'poster', stock: 3 }];
  const slow: Postgres = {
    ...postgres,
    async query(statement, values) {
      // Just before the gate opens.
      if (statement.name.includes('open_epoch'))
        await postgres.transaction('items', (client) => addItems(client, sale.id, more, 100));
      return postgres.query(statement, values);
    },
  };
  const rebuilt = await rebuildSale(redis, slow, sale.id, assert.fail);
  const grown = { ...sale, total: 3, epoch: rebuilt?.epoch ?? 1 };
  if (!(await isSellable(redis, grown))) await rebuild(grown);
  assert.equal(await redis.command('HGET', keysOf(sale.id).items, 'poster'), '3');
});

test('outbox entries from before the last rebuild that went through are void', async () => {
  const sale = await openSale(stores);
  const [a = '', b = ''] = sale.itemIds;
  const k = keysOf(sale.id);
  const { decisions } = await decideOnly(sale, 'ada', a);
  const [[id, fields]] = (await redis.command('XRANGE', k.outbox, '-', '+')) as [[string, string[]]];
  await forgetAll(sale);
  const second = await rebuild(sale);
  const valid = await decideOnly(second, 'bob', b);
  // An old copy of Redis comes back: the entry of the first epoch is there again.
  await redis.command('XGROUP', 'CREATE', k.outbox, 'none', '$', 'MKSTREAM');
  await redis.command('XADD', k.outbox, '*', ...fields);
  assert.notEqual(id, '');
  await redis.command('SET', k.gate, foreignGateOf(sale.epoch));
  const third = await rebuild(sale);
  const rows = await sql('select code from decisions where sale_id = $1', sale.id);
  assert.deepEqual(rows, [{ code: valid.code }]);
  assert.equal(await redis.command('HGET', k.items, a), '1', 'for sale again');
  assert.equal(await outcomeOf(third, decisions[0]!.code), 'no-code');
});

test('an outbox entry that contradicts Postgres is reported and dropped: Postgres outranks Redis', async () => {
  const sale = await openSale(stores);
  const [item = ''] = sale.itemIds;
  const { code } = await decideOnly(sale, 'ada', item);
  const winner = { code: `CHK-${sale.id}-${'f'.repeat(32)}`, saleId: sale.id, userId: 'eve', decidedMs: 1 };
  await commitDecisions(postgres, sale, [{ ...winner, lines: [`+${item}`] }]);
  const refused: string[] = [];
  const rebuilt = await rebuildSale(redis, postgres, sale.id, (decision) => refused.push(decision.code));
  assert.deepEqual(refused, [code]);
  const again = { ...sale, epoch: rebuilt!.epoch };
  assert.equal(await isSellable(redis, again), true);
  assert.equal(await outcomeOf(again, code), 'no-code');
});

test('during and after a rebuild the older epoch decides and commits nothing', async () => {
  const sale = await openSale(stores);
  const [a = '', b = ''] = sale.itemIds;
  const { decisions } = await decideOnly(sale, 'ada', a);
  await forgetAll(sale);
  await rebuild(sale);
  assert.equal(await commitDecisions(postgres, sale, decisions), undefined);
  await assert.rejects(cart(sale, 'bob', b), Unavailable);
  assert.deepEqual(await sql('select 1 from decisions where sale_id = $1', sale.id), []);
});

test('of rebuilds at the same time one at least goes through, and the sale is whole at the newest epoch', async () => {
  const sale = await openSale(stores, { items: 1_500 });
  const code = await buy(sale, 'ada', sale.itemIds[0]!);
  const epochs = await Promise.all(
    Array.from({ length: 5 }, () => rebuildSale(redis, postgres, sale.id, assert.fail)),
  );
  const done = epochs.flatMap((rebuilt) => rebuilt?.epoch ?? []);
  assert.ok(done.length >= 1);
  const newest = { ...sale, epoch: Math.max(...done) };
  assert.equal(newest.epoch, sale.epoch + 5);
  assert.equal(await isSellable(redis, newest), true);
  assert.equal(await countSold(redis, sale.id), 1);
  assert.equal(await outcomeOf(newest, code), 'decided-before');
});

test('the new epoch is above the one at the gate, open or loading, which may be ahead of Postgres', async () => {
  const sale = await openSale(stores);
  const { gate } = keysOf(sale.id);
  await redis.command('SET', gate, await gateOf(redis, sale.epoch + 7));
  const again = await rebuild(sale);
  assert.equal(again.epoch, sale.epoch + 8);
  await redis.command('SET', gate, await loadingGateOf(redis, again.epoch + 3));
  assert.equal((await rebuild(again)).epoch, again.epoch + 4);
});

test('a sale whose items are not all in Postgres is not opened', async () => {
  const sale = await addSale(stores);
  await sql('delete from items where id = $1', sale.itemIds[0]!);
  await assert.rejects(rebuildSale(redis, postgres, sale.id, assert.fail), /has 4 units, and its total is 5/);
  assert.equal(await isSellable(redis, { ...sale, epoch: 1 }), false);
});

test('a sale that is incomplete in Redis, or of another epoch, is not sellable', async () => {
  const sale = await openSale(stores);
  assert.equal(await isSellable(redis, { ...sale, epoch: sale.epoch + 1 }), false);
  await redis.command('HDEL', keysOf(sale.id).names, sale.itemIds[0]!);
  assert.equal(await isSellable(redis, sale), false);
  assert.equal(
    await rebuildSale(redis, postgres, 'S-0000000000', assert.fail),
    undefined,
    'there is no such sale',
  );
});
