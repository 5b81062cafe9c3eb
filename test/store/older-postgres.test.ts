import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Log, openLog } from '../../src/log.ts';
import { createKeeper } from '../../src/primary/duties/keeper.ts';
import { createSalvagedReport } from '../../src/primary/duties/salvaged.ts';
import { createSaver } from '../../src/primary/duties/saver.ts';
import { auditSale } from '../../src/store/audit/audit.ts';
import { createCheckouts } from '../../src/store/checkouts.ts';
import { fenceOf } from '../../src/store/fence.ts';
import { keysOf } from '../../src/store/keys.ts';
import { createPurchases } from '../../src/store/purchases.ts';
import { rebuildSale } from '../../src/store/rebuild.ts';
import { isSellable } from '../../src/store/sales.ts';
import { salvageDecisions } from '../../src/store/salvage.ts';
import { until } from '../support/processes.ts';
import { openSale, openStores, type TestSale } from '../support/stores.ts';

const stores = await openStores();
const { redis, postgres, sql } = stores;
const silent = openLog('silent', 'test').log;

const cart = async (sale: TestSale, userId: string, ...items: number[]) => {
  const checkouts = createCheckouts(redis, () => sale);
  const results = await Promise.all(
    items.map((item) => checkouts.add({ userId, itemId: sale.itemIds[item]! })),
  );
  return results[0]!;
};
/** Buys, and waits until Redis has forgotten the entry: then only its decisions know. */
async function buy(sale: TestSale, userId: string, ...items: number[]): Promise<string> {
  const purchases = createPurchases({
    ...{ redis, postgres, sale: () => sale },
    ...{ onError: assert.ifError, forgetAfterMs: 0 },
  });
  const { code } = await cart(sale, userId, ...items);
  assert.equal((await purchases.add(code)).outcome, 'decided');
  await until('it is forgotten', async () => (await redis.command('XLEN', keysOf(sale.id).outbox)) === 0);
  return code;
}
async function rebuild(sale: TestSale): Promise<TestSale> {
  const rebuilt = await rebuildSale(redis, postgres, sale.id, assert.fail);
  return { ...sale, epoch: rebuilt!.epoch };
}
/** An asynchronous replica was promoted: these users' purchases and all epochs since the first are lost. */
async function loseCommits(sale: TestSale, ...users: string[]): Promise<void> {
  await sql('delete from decisions where sale_id = $1 and user_id = any($2)', sale.id, users);
  await sql('delete from purchases where sale_id = $1 and user_id = any($2)', sale.id, users);
  await sql('update sales set epoch = 1, opened_epoch = 1 where id = $1', sale.id);
}
const buyers = async (sale: TestSale) =>
  (await sql('select user_id from purchases where sale_id = $1 order by user_id', sale.id)).map(
    (row) => row.user_id,
  );

test('what was answered and Postgres has lost is committed again by the rebuild, and not sold again', async () => {
  let sale = await openSale(stores, { limit: 2 });
  await buy(sale, 'ann', 0);
  sale = await rebuild(await rebuild(sale));
  await buy(sale, 'ada', 1, 2);
  await loseCommits(sale, 'ada');
  // Postgres' own epoch leads nowhere: every epoch until the rebuild's is fenced.
  for (const epoch of [1, 2]) assert.equal(await isSellable(redis, { ...sale, epoch }), false);
  // The runbook's way, and a crash that takes the gate, end the same.
  await redis.command('DEL', keysOf(sale.id).gate);
  const rebuilt = await rebuildSale(redis, postgres, sale.id, assert.fail);
  assert.equal(rebuilt?.salvaged, 1);
  const again = { ...sale, epoch: rebuilt.epoch };
  assert.deepEqual(await buyers(sale), ['ada', 'ada', 'ann']);
  assert.equal((await cart(again, 'bob', 1)).outcome, 'item-sold');
  assert.equal((await cart(again, 'ada', 3)).outcome, 'limit');
  assert.deepEqual(await auditSale(redis, postgres, sale.id), []);
});

test('a rebuild that is interrupted before it has saved them leaves them to the next one', async () => {
  let sale = await openSale(stores);
  sale = await rebuild(sale);
  await buy(sale, 'ada', 1);
  await loseCommits(sale, 'ada');
  const dying = { ...redis, isUp: true, run: redis.run };
  let calls = 0;
  dying.run = async (...call) => {
    if (++calls > 2) throw new Error('the leader dies');
    return redis.run(...call);
  };
  await assert.rejects(rebuildSale(dying, postgres, sale.id, assert.fail), /the leader dies/);
  await rebuild(sale);
  assert.deepEqual(await buyers(sale), ['ada']);
});

test('decisions of an epoch before the last rebuild that went through are void: they were put back on the shelf', async () => {
  const sale = await openSale(stores);
  const { decisions, sale: facts } = keysOf(sale.id);
  const { code } = await cart(sale, 'ada', 1);
  await rebuild(sale);
  // An old copy of Redis comes back, with a decision that nobody was told of.
  await redis.command('HSET', decisions, code, `${Date.now()} ada +${sale.itemIds[1]}`);
  await redis.command('HSET', facts, 'epoch', String(sale.epoch));
  await redis.command('DEL', keysOf(sale.id).gate);
  const again = await rebuild(sale);
  assert.deepEqual(await buyers(sale), []);
  await buy(again, 'bob', 1);
});

test('within one epoch the leader compares after Postgres was away, and commits what only Redis knows', async () => {
  const sale = await openSale(stores);
  await buy(sale, 'ann', 0);
  await buy(sale, 'ada', 1);
  const lines: string[] = [];
  const log = { ...silent, error: (_: unknown, text: string) => void lines.push(text) } as unknown as Log;
  const onSalvaged = createSalvagedReport(log, () => {});
  const saver = createSaver({ redis, postgres, log, sales: () => [sale], onSalvaged });
  await saver.save();
  await loseCommits(sale, 'ada');
  await saver.save();
  assert.deepEqual(await buyers(sale), ['ann'], 'nothing is compared without a reason');
  saver.again();
  await saver.save();
  assert.deepEqual(await buyers(sale), ['ada', 'ann']);
  assert.deepEqual(lines, ['decisions that only Redis knew were committed']);
  assert.deepEqual(await auditSale(redis, postgres, sale.id), []);
});

test('both stores come back older, and no epoch comes twice', async () => {
  const sale = await openSale(stores);
  const keep = createKeeper({
    ...{ redis, postgres, log: silent, isRetiring: () => false },
    ...{ onContradiction: assert.fail, onSalvaged: () => {} },
  });
  const epochs: number[] = [];
  const kept = () =>
    keep((sales) => void epochs.push(sales.find(({ id }) => id === sale.id)?.epoch ?? Number.NaN));
  const emptied = async () => redis.command('DEL', ...Object.values(keysOf(sale.id)));
  await emptied();
  await kept();
  const [highest] = epochs.slice(-1) as [number];
  assert.ok(highest > sale.epoch);
  await emptied();
  await sql('update sales set epoch = 1, opened_epoch = 1 where id = $1', sale.id);
  await until('it is rebuilt above the highest epoch that there was', async () => {
    await kept();
    return Number(epochs.at(-1)) > highest;
  });
});

test('decisions are salvaged from the dataset that the gate names, and from no other', async () => {
  const sale = await openSale(stores);
  await buy(sale, 'ada', 0);
  await loseCommits(sale, 'ada');
  const { gate } = keysOf(sale.id);
  await redis.command('SET', gate, `v1:${sale.epoch}:${'0'.repeat(40)}:${'0'.repeat(40)}`);
  const salvaged = await salvageDecisions(redis, postgres, sale, fenceOf(sale.epoch), assert.fail);
  assert.equal(salvaged, undefined);
  assert.deepEqual(await buyers(sale), []);
});
