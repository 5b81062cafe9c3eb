import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createUnsold } from '../../src/selling/unsold.ts';
import type { Postgres } from '../../src/store/postgres.ts';
import { addSale, openStores, type TestSale } from '../support/stores.ts';

const stores = await openStores();
const { postgres, sql } = stores;
const ITEMS = 1_000;

/** The search, and how many positions it has searched so far. */
function search(sale: TestSale) {
  let [searched, unlearned] = [0, 0];
  const query: Postgres['query'] = (statement, values = []) => {
    if (statement.name === 'list_unsold') searched += (values[1] as number[]).length * (values[2] as number);
    return postgres.query(statement, values);
  };
  const find = createUnsold(
    Object.create(postgres, { query: { value: query } }),
    () => [sale],
    () => unlearned,
  );
  return {
    ids: async (after?: string, limit = 3, as: TestSale = sale) =>
      (await find(as, after, limit)).map(({ id }) => id),
    searched: () => searched,
    unlearn: () => void unlearned++,
  };
}

/** Sells items of a sale, in Postgres alone. */
const sell = (sale: TestSale, from: number, to: number) =>
  sql(
    `insert into purchases (sale_id, item_id, code, user_id, purchased_at)
     select sale_id, id, 'CHK-' || id, 'ada', now() from items where sale_id = $1 and position >= $2 and position < $3`,
    sale.id,
    from,
    to,
  );

test('pages of what is left follow each other, and show what is unsold, in order', async () => {
  const sale = await addSale(stores, { items: ITEMS });
  await sell(sale, 0, 450);
  await sell(sale, 452, 999);
  const { ids } = search(sale);
  const left = [450, 451, 999].map((position) => sale.itemIds[position] as string);
  assert.deepEqual(await ids(), left);
  assert.deepEqual(await ids(left[0]), left.slice(1));
  assert.deepEqual(await ids(left[2]), []);
  assert.deepEqual(await ids(undefined, 1), left.slice(0, 1));
  assert.deepEqual(await ids('stranger'), []);
});

test('a stretch that is sold out is searched once, whatever is asked for', async () => {
  const sale = await addSale(stores, { items: ITEMS });
  await sell(sale, 0, 990);
  const { ids, searched } = search(sale);
  const left = sale.itemIds.slice(990, 993);
  assert.deepEqual(await ids(), left);
  assert.ok(searched() >= ITEMS);
  const before = searched();
  for (const limit of [3, 1, 2]) assert.deepEqual(await ids(undefined, limit), left.slice(0, limit));
  assert.equal(searched() - before, 3 * 100);
});

test('after a rebuild all of it is searched again: Postgres may have come back older', async () => {
  const sale = await addSale(stores, { items: ITEMS });
  await sell(sale, 0, 990);
  const { ids } = search(sale);
  await ids();
  await sql('delete from purchases where sale_id = $1', sale.id);
  assert.deepEqual(await ids(), sale.itemIds.slice(900, 903), 'the others were sold out');
  assert.deepEqual(await ids(undefined, 3, { ...sale, epoch: sale.epoch + 1 }), sale.itemIds.slice(0, 3));
});

test('what came back is found again once the worker has heard of it', async () => {
  const sale = await addSale(stores, { items: ITEMS });
  await sell(sale, 0, ITEMS);
  const { ids, searched, unlearn } = search(sale);
  assert.deepEqual(await ids(), []);
  const [back] = sale.itemIds.slice(450, 451);
  await sql('delete from purchases where sale_id = $1 and item_id = $2', sale.id, back);
  const before = searched();
  assert.deepEqual(await ids(), [], 'nobody has told');
  assert.equal(searched(), before);
  unlearn();
  assert.deepEqual(await ids(), [back]);
  assert.deepEqual(await ids(back), []);
});
