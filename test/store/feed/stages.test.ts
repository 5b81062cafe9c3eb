import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pruneEvents, tellStages } from '../../../src/store/feed/keep.ts';
import { FEED_START, placeOf } from '../../../src/store/feed/read.ts';
import { openFeed, salesOf } from '../../support/feed.ts';
import { addSale, openSale, type TestSale } from '../../support/stores.ts';

const stores = await openFeed();
const { postgres, sql, follow, end, fill, pay } = stores;
const buy = async (sale: TestSale, userId: string, ...items: number[]) =>
  pay(sale, await fill(sale, userId, ...items));

test('a sale opens, is sold out and ends once, whoever notices, and is sold out only when Postgres says so', async () => {
  const from = await end();
  const sale = await openSale(stores, { items: 2 });
  await addSale(stores, { startsIn: 60_000 });
  await Promise.all([1, 2, 3].map(() => tellStages(postgres, [sale.id])));
  await buy(sale, 'ada', 0, 1);
  for (let i = 0; i < 2; i++) await tellStages(postgres, [sale.id]);
  await sql(
    "update sales set ends_at = now() - interval '1 second', starts_at = now() - interval '1 hour' where id = $1",
    sale.id,
  );
  for (let i = 0; i < 2; i++) await tellStages(postgres, []);
  const told = (await follow(from)).filter(({ saleId }) => saleId === sale.id).map(({ type }) => type);
  assert.deepEqual(told, ['sale.opened', 'purchase.completed', 'sale.sold_out', 'sale.ended']);
});

test('a sale that was retired before anybody told its end still ends, and one that the feed never saw does not', async () => {
  const from = await end();
  const sale = await addSale(stores);
  await tellStages(postgres, []);
  const unseen = await addSale(stores);
  await sql(
    "update sales set retired = true, sold = 0, ends_at = now() - interval '1 second', starts_at = now() - interval '1 hour' where id = any($1)",
    [sale.id, unseen.id],
  );
  for (let i = 0; i < 2; i++) await tellStages(postgres, []);
  const told = (await follow(from)).filter(({ saleId }) => [sale.id, unseen.id].includes(saleId));
  assert.deepEqual(
    told.map(({ type, saleId }) => [type, saleId]),
    [
      ['sale.opened', sale.id],
      ['sale.ended', sale.id],
    ],
  );
});

test('events past keeping go, but for what a live sale has become and the newest; who names one that is gone hears so', async () => {
  const sale = await openSale(stores, { items: 2 });
  await tellStages(postgres, []);
  await buy(sale, 'ada', 0);
  const before = await follow(FEED_START);
  await sql("update events set at = at - interval '31 days'");
  await pruneEvents(postgres, 30);
  const after = await follow(FEED_START);
  const live = new Set((await sql('select id from sales where not retired')).map(({ id }) => id));
  const kept = before.filter(({ type, saleId }) => type.startsWith('sale.') && live.has(saleId));
  assert.deepEqual(salesOf(after), [...salesOf(kept), sale.id]);
  assert.equal(
    await placeOf(postgres, before.find(({ type }) => type === 'purchase.completed')!.id),
    undefined,
  );
  assert.notEqual(await placeOf(postgres, after.at(-1)!.id), undefined);
  const { id } = after.at(-1)!;
  assert.equal(
    await placeOf(
      postgres,
      id.replace(/\d$/, (digit) => String((Number(digit) + 1) % 10)),
    ),
    undefined,
    'another event',
  );
});
