import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commitDecisions } from '../../../src/store/commit.ts';
import { decideCodes } from '../../../src/store/decide.ts';
import { placeOf } from '../../../src/store/feed/read.ts';
import { rebuildSale } from '../../../src/store/rebuild.ts';
import { openFeed } from '../../support/feed.ts';
import { addSale, openSale, type TestSale } from '../../support/stores.ts';

const stores = await openFeed();
const { redis, postgres, sql, follow, end, fill, pay, payVia } = stores;

const codesThatBought = async (sale: TestSale) =>
  (await sql('select distinct code from purchases where sale_id = $1', sale.id)).map(({ code }) =>
    String(code),
  );

test('every purchase is told once, with what it bought, however its commit was batched; one that bought nothing is not', async () => {
  const from = await end();
  const sale = await openSale(stores, { items: 40 });
  const codes: string[] = [];
  for (let i = 0; i < 30; i++) codes.push(await fill(sale, `user-${i}`, i, i + 1));
  const late = await fill(sale, 'late', 3);
  await pay(sale, ...codes.slice(0, 10));
  await Promise.all(codes.map((code) => pay(sale, code)));
  await pay(sale, late);
  for (const limit of [1, 7, 100]) {
    const told = await follow(from, limit);
    const bought = told.flatMap(({ purchase }) => purchase!.decision);
    assert.deepEqual(bought.map(({ code }) => code).sort(), (await codesThatBought(sale)).sort());
    for (const { code } of bought) assert.ok(codes.includes(code));
    for (const { id, place, purchase } of told) {
      assert.deepEqual(await placeOf(postgres, id), place);
      assert.equal(purchase!.names.length, 2);
    }
  }
});

test('a commit that is repeated or fenced tells nothing', async () => {
  const from = await end();
  const sale = await addSale(stores);
  const decision = (n: number) => ({
    ...{ code: `CHK-${sale.id}-${String(n).repeat(32)}`, saleId: sale.id, userId: 'ada', decidedMs: 1_000 },
    lines: [`+${sale.itemIds[n]}`],
  });
  await commitDecisions(postgres, { id: sale.id, epoch: 0 }, [decision(0)]);
  await commitDecisions(postgres, { id: sale.id, epoch: 0 }, [decision(1), decision(0)]);
  await commitDecisions(postgres, { id: sale.id, epoch: 1 }, [decision(2)]);
  const told = await follow(from);
  assert.deepEqual(
    told.map(({ purchase }) => purchase!.decision.code),
    [decision(0).code, decision(1).code],
  );
  assert.equal(told[0]!.atMs, 1_000);
});

test('where the feed is off, a purchase tells nothing', async () => {
  const from = await end();
  const sale = await openSale(stores, { items: 2 });
  const code = await fill(sale, 'ada', 0);
  await payVia(stores.silent, sale, code);
  assert.equal((await codesThatBought(sale)).length, 1);
  assert.deepEqual(await follow(from), []);
});

test('what a dead worker had decided is told when a rebuild commits it, and once', async () => {
  const from = await end();
  const sale = await openSale(stores, { items: 3 });
  const code = await fill(sale, 'ada', 0, 1);
  await decideCodes(redis, sale, [code]);
  assert.deepEqual(await follow(from), [], 'decided, not committed');
  for (let i = 0; i < 2; i++) await rebuildSale(redis, postgres, sale.id, assert.fail);
  const told = await follow(from);
  assert.deepEqual(
    told.map(({ purchase }) => purchase?.decision.code),
    [code],
  );
});

test('a Postgres that has lost a purchase has lost its event too; what is committed again is told again', async () => {
  const from = await end();
  let sale = await openSale(stores, { items: 3 });
  const lost = await fill(sale, 'ada', 0);
  await pay(sale, lost);
  const [event] = await follow(from);
  for (const table of ['decisions', 'purchases', 'events'])
    await sql(`delete from ${table} where sale_id = $1`, sale.id);
  assert.equal(await placeOf(postgres, event!.id), undefined, 'who follows it hears that it is gone');
  sale = { ...sale, epoch: (await rebuildSale(redis, postgres, sale.id, assert.fail))!.epoch };
  const again = await follow(from);
  assert.deepEqual(
    again.map(({ purchase }) => purchase?.decision.code),
    [lost],
  );
  assert.notEqual(again[0]!.id, event!.id);
});
