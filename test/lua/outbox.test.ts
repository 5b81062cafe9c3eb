import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCheckouts } from '../../src/store/checkouts.ts';
import { decideCodes } from '../../src/store/decide.ts';
import { fenceOf } from '../../src/store/fence.ts';
import { keysOf } from '../../src/store/keys.ts';
import { readOutbox } from '../../src/store/outbox.ts';
import { script } from '../../src/store/redis.ts';
import { until } from '../support/processes.ts';
import { openSale, openStores, type TestSale } from '../support/stores.ts';

const stores = await openStores();
const { redis } = stores;
const forget = script('forget');

/** Decides one purchase and leaves its entry in the outbox. */
async function buy(sale: TestSale, userId: string, itemId: string) {
  const { code } = await createCheckouts(redis, () => sale).add({ userId, itemId });
  const { entryId } = await decideCodes(redis, sale, [code]);
  return { code, entryId };
}
const read = (sale: TestSale, minAgeMs?: number) =>
  readOutbox(redis, sale.id, fenceOf(sale.epoch), minAgeMs === undefined ? {} : { minAgeMs });
const entries = async (sale: TestSale) => {
  const raw = (await redis.command('XRANGE', keysOf(sale.id).outbox, '-', '+')) as [string, unknown][];
  return raw.map(([id]) => id);
};

test('forget deletes the entries it is given, and says how many there were', async () => {
  const sale = await openSale(stores);
  const { gate, sale: facts, outbox } = keysOf(sale.id);
  const ids: string[] = [];
  for (const [i, item] of sale.itemIds.slice(0, 3).entries())
    ids.push((await buy(sale, `u${i}`, item)).entryId);
  const fence = fenceOf(sale.epoch);
  assert.equal(await redis.run(forget, [gate, facts, outbox], [fence, ids[0]!, ids[2]!]), 2);
  assert.deepEqual(await entries(sale), [ids[1]]);
  assert.equal(await redis.run(forget, [gate, facts, outbox], [fence, ids[0]!]), 0);
});

test('forget is fenced by another epoch, and by no gate', async () => {
  const sale = await openSale(stores);
  const { gate, sale: facts, outbox } = keysOf(sale.id);
  const { entryId } = await buy(sale, 'ada', sale.itemIds[0]!);
  assert.equal(await redis.run(forget, [gate, facts, outbox], [fenceOf(sale.epoch + 1), entryId]), -1);
  await redis.command('DEL', gate);
  assert.equal(await redis.run(forget, [gate, facts, outbox], [fenceOf(sale.epoch), entryId]), -1);
  assert.deepEqual(await entries(sale), [entryId]);
});

test('leftover reads entries of the age asked for, with their decisions and epoch', async () => {
  const sale = await openSale(stores);
  const [a = '', b = ''] = sale.itemIds;
  const { code, entryId } = await buy(sale, 'ada', a);
  assert.deepEqual(await read(sale, 60_000), []);
  const [entry] = await until('its age', async () => {
    const aged = await read(sale, 100);
    return aged?.length === 1 && aged;
  });
  assert.deepEqual([entry!.id, entry!.epoch], [entryId, sale.epoch]);
  const [decision] = entry!.decisions;
  assert.deepEqual([decision!.code, decision!.userId, decision!.lines], [code, 'ada', [`+${a}`]]);
  await buy(sale, 'bob', b);
  assert.equal((await read(sale))?.length, 2);
});

test('without an age leftover reads every entry, also one from a clock that was ahead', async () => {
  const sale = await openSale(stores);
  const future = `${Date.now() + 3_600_000}-0`;
  await redis.command('XADD', keysOf(sale.id).outbox, future, 'epoch', '1', 'code', '1 ada +x');
  assert.deepEqual(await read(sale, 0), []);
  assert.deepEqual(
    (await read(sale))?.map(({ id }) => id),
    [future],
  );
});

test('leftover reads the oldest entries first, so many at most, and nothing while the gate is shut', async () => {
  const sale = await openSale(stores);
  const { gate, outbox } = keysOf(sale.id);
  for (let i = 1; i <= 25; i++)
    await redis.command('XADD', outbox, `${i}-0`, 'epoch', '1', `code${i}`, `${i} ada +x`);
  assert.deepEqual(
    (await read(sale, 0))?.map(({ id }) => id),
    Array.from({ length: 20 }, (_, i) => `${i + 1}-0`),
  );
  await redis.command('DEL', gate);
  assert.equal(await read(sale, 0), undefined);
});
