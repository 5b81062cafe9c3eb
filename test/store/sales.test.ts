import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generateItems } from '../../src/goods/catalogue.ts';
import { newCode } from '../../src/store/checkouts.ts';
import { commitDecisions } from '../../src/store/commit.ts';
import { listItems } from '../../src/store/items.ts';
import { statement } from '../../src/store/postgres.ts';
import { findSale, listSales } from '../../src/store/sale-list.ts';
import { createSale, type NewSale, readLiveSales } from '../../src/store/sales.ts';
import { addSale, openStores } from '../support/stores.ts';

const stores = await openStores();
const { postgres, sql } = stores;
const HOUR_MS = 3_600_000;
const NOON = Date.UTC(2031, 0, 1, 12);
const facts = (sale: Partial<NewSale> = {}): NewSale => ({
  startsAtMs: NOON,
  endsAtMs: NOON + HOUR_MS,
  total: 3,
  userLimit: 10,
  hourly: false,
  ...sale,
});
const idsOf = (rows: readonly { id: string }[]) => rows.map(({ id }) => id);

test('a sale is added with generated items, in their order', async () => {
  const id = (await createSale(postgres, facts()))!;
  assert.match(id, /^S-[0-9a-f]{10}$/);
  const items = await listItems(postgres, { saleId: id, limit: 10, availableOnly: false });
  const expected = generateItems(id, 3).map((i) => ({
    id: i.id,
    name: i.name,
    image_url: i.imageUrl,
    sold: false,
  }));
  assert.deepEqual(items, expected);
});

test('given items keep what they bring, and get the rest generated', async () => {
  const items = [{ name: 'Lamp' }, { id: 'own', name: 'Vase', imageUrl: '/vase.png' }];
  const id = (await createSale(postgres, facts({ total: 2, items })))!;
  const [first, second] = await listItems(postgres, { saleId: id, limit: 10, availableOnly: false });
  const [generated] = generateItems(id, 2);
  assert.deepEqual(first, {
    id: generated!.id,
    name: 'Lamp',
    image_url: `${generated!.imageUrl}?as=table-lamp`,
    sold: false,
  });
  assert.deepEqual(second, { id: 'own', name: 'Vase', image_url: '/vase.png', sold: false });
});

test('an id is unique within its sale: twice in one is refused, and nothing is left of the attempt; another sale may list it again', async () => {
  const once = facts({ total: 1, items: [{ id: 'unique', name: 'Lamp' }] });
  assert.ok(await createSale(postgres, once));
  const listed = (await createSale(postgres, once))!;
  assert.deepEqual(await sql(`select sale_id from items where id = 'unique' and sale_id = $1`, listed), [
    { sale_id: listed },
  ]);
  const before = await sql('select count(*) from sales');
  const again = facts({
    total: 2,
    items: [
      { id: 'unique', name: 'Vase' },
      { id: 'unique', name: 'Lamp' },
    ],
  });
  await assert.rejects(createSale(postgres, again), { code: '23505', table: 'items' });
  assert.deepEqual(await sql('select count(*) from sales'), before);
});

test('every item is of a sale that exists, and a sale that has items stays', async () => {
  const stray = `insert into items (id, sale_id, position, name, image_url) values ('a', 'S-0000000000', 0, 'a', '/a')`;
  await assert.rejects(sql(stray), { code: '23503', message: /no sale S-0000000000/ });
  const id = (await createSale(postgres, facts()))!;
  await assert.rejects(sql('delete from sales where id = $1', id), { code: '23503' });
});

test('an hour has one hourly sale, whoever adds it and however often; other sales may begin with it', async () => {
  const hourly = facts({ hourly: true });
  const ids = await Promise.all(Array.from({ length: 8 }, () => createSale(postgres, hourly)));
  assert.equal(ids.filter((id) => id !== undefined).length, 1);
  assert.ok(await createSale(postgres, facts()));
  const rows = await sql(
    'select count(*)::int as items from items where sale_id = $1',
    ids.find((id) => id)!,
  );
  assert.deepEqual(rows, [{ items: 3 }]);
});

test('live sales are those not retired, oldest first, with their facts', async () => {
  await sql('update sales set retired = true');
  const late = (await createSale(
    postgres,
    facts({ startsAtMs: NOON + 2 * HOUR_MS, endsAtMs: NOON + 3 * HOUR_MS }),
  ))!;
  const early = (await createSale(postgres, facts({ startsAtMs: NOON + 0.5, userLimit: 4 })))!;
  await sql('update sales set epoch = 5 where id = $1', early);
  const live = await readLiveSales(postgres);
  assert.deepEqual(idsOf(live), [early, late]);
  const { startsAtMs, ...rest } = live[0]!;
  assert.ok(Math.abs(startsAtMs - NOON) <= 1);
  assert.deepEqual(rest, {
    id: early,
    endsAtMs: NOON + HOUR_MS,
    total: 3,
    userLimit: 4,
    hourly: false,
    epoch: 5,
    paused: false,
    version: 1,
  });
});

test('sales are listed newest first, by state, by id, and so many at most, with what is committed', async () => {
  const now = Date.now();
  const between = (from: number, to: number) =>
    createSale(postgres, facts({ startsAtMs: now + from, endsAtMs: now + to }));
  const [ended, active, scheduled] = [
    await between(-2 * HOUR_MS, -HOUR_MS),
    await between(-HOUR_MS, HOUR_MS),
    await between(HOUR_MS, 2 * HOUR_MS),
  ];
  const list = async (filter: Parameters<typeof listSales>[1]) => idsOf(await listSales(postgres, filter));
  assert.deepEqual(await list({ state: 'ended', limit: 10 }), [ended]);
  assert.deepEqual(await list({ state: 'active', limit: 10 }), [active]);
  assert.ok((await list({ state: 'scheduled', limit: 10 })).includes(scheduled!));
  assert.equal((await findSale(postgres, active!))!.id, active);
  assert.equal(await findSale(postgres, 'S-0000000000'), undefined);
  const all = await listSales(postgres, { limit: 100 });
  const starts = all.map(({ startsAtMs }) => startsAtMs);
  assert.deepEqual(
    starts,
    [...starts].sort((a, b) => b - a),
  );
  assert.deepEqual(await list({ limit: 2 }), idsOf(all).slice(0, 2));

  const pages: string[] = [];
  for (let after: string | undefined; ; after = pages.at(-1)) {
    const page = await list({ limit: 2, ...(after && { after }) });
    if (page.length === 0) break;
    pages.push(...page);
  }
  assert.deepEqual(pages, idsOf(all), 'the cursor leads to each sale once');
  assert.deepEqual(await list({ state: 'ended', after: ended!, limit: 9 }), []);
  assert.deepEqual(await list({ state: 'active', after: scheduled!, limit: 9 }), [active]);
});

/** Rows that a statement reads of a table, as Postgres counts them. */
async function rowsRead(name: string, table: string, values: unknown[]): Promise<number> {
  const [row] = await sql(`explain (analyze, format json) ${statement(name).text}`, ...values);
  const sum = (node: Record<string, unknown>): number => {
    const rows = Number(node['Actual Rows']) + Number(node['Rows Removed by Filter'] ?? 0);
    const own = node['Relation Name'] === table ? rows * Number(node['Actual Loops']) : 0;
    return ((node.Plans ?? []) as Record<string, unknown>[]).reduce((total, plan) => total + sum(plan), own);
  };
  return sum((row!['QUERY PLAN'] as { Plan: Record<string, unknown> }[])[0]!.Plan);
}

test('what a listing costs does not grow with the sales that are over', async () => {
  await sql(
    `insert into sales (id, starts_at, ends_at, total, user_limit, hourly, retired, sold)
     select 'S-' || lpad(n::text, 10, '0'), now() - n * interval '1 day', now() - n * interval '1 day' + interval '1 hour',
       5, 10, false, true, 5 from generate_series(1, 2000) n`,
  );
  await sql(
    `insert into purchases (sale_id, item_id, code, user_id, purchased_at)
     select 'S-' || lpad(n::text, 10, '0'), 'item-' || i, 'code', 'ada', now()
     from generate_series(1, 2000) n, generate_series(1, 5) i`,
  );
  await sql('analyze');
  for (const after of [null, 'S-0000001000']) {
    for (const ended of [true, false]) {
      assert.ok((await rowsRead('list_sales', 'sales', [ended, after, 10])) < 100, `sales after ${after}`);
      // Those that are not retired are counted; there are few.
      assert.ok((await rowsRead('list_sales', 'purchases', [ended, after, 10])) <= 2);
    }
    for (const state of ['active', 'scheduled'])
      assert.ok((await rowsRead('list_current_sales', 'sales', [state, after, 10])) < 100);
  }
  assert.equal(await rowsRead('find_sale', 'purchases', ['S-0000000007']), 0);
});

test('a page of items begins after an item, knows what is sold, and may leave that out', async () => {
  const sale = await addSale(stores, { items: 6 });
  const [a, b, c, d, e, f] = sale.itemIds as [string, string, string, string, string, string];
  const decision = {
    code: newCode(sale.id),
    saleId: sale.id,
    userId: 'ada',
    decidedMs: 1,
    lines: [`+${b}`, `-${c}`, `+${d}`],
  };
  await commitDecisions(postgres, sale, [decision]);
  const page = async (limit: number, availableOnly: boolean, after?: string) =>
    listItems(postgres, { saleId: sale.id, limit, availableOnly, ...(after && { after }) });
  assert.deepEqual(
    (await page(6, false)).map(({ sold }) => sold),
    [false, true, false, true, false, false],
  );
  assert.deepEqual(idsOf(await page(2, false, b)), [c, d]);
  assert.deepEqual(idsOf(await page(2, true)), [a, c]);
  assert.deepEqual(idsOf(await page(9, true, c)), [e, f]);
  assert.deepEqual(await page(9, false, 'nothing'), []);
  const other = await addSale(stores);
  assert.deepEqual(await page(9, false, other.itemIds[0]), []);
  assert.equal((await findSale(postgres, sale.id))!.sold, 2);
});
