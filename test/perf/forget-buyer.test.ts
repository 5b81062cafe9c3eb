import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { newCode } from '../../src/store/checkouts.ts';
import { commitDecisions } from '../../src/store/commit.ts';
import { openSale, openStores, type TestSale, temporaryDir } from '../support/stores.ts';

const stores = await openStores();
const { postgres, sql, databaseUrl } = stores;
const TOOL = fileURLToPath(new URL('../../perf/forget-buyer.js', import.meta.url));
const DATA_DIR = temporaryDir();

const run = (...args: string[]) => {
  const env = { PATH: process.env.PATH, DATA_DIR, DATABASE_URL: databaseUrl };
  const { status, stdout, stderr } = spawnSync(process.execPath, [TOOL, ...args], { env, encoding: 'utf8' });
  return { status, stdout, stderr };
};
const buy = (sale: TestSale, userId: string, ...items: number[]) =>
  commitDecisions(postgres, sale, [
    {
      code: newCode(sale.id),
      saleId: sale.id,
      userId,
      decidedMs: 1,
      lines: items.map((i) => `+${sale.itemIds[i]}`),
    },
  ]);
const attempt = (userId: string, saleId: string | null) =>
  sql(
    `insert into checkout_attempts (at, worker, sale_id, user_id, outcome, request_id) values (now(), 0, $1, $2, 'accepted', 'r')`,
    saleId,
    userId,
  );
const usersIn = async (table: string) =>
  (await sql(`select distinct user_id from ${table} order by 1`)).map(({ user_id }) => String(user_id));

const [over, live] = [await openSale(stores), await openSale(stores)];
await buy(over, 'ada', 0, 1);
await buy(over, 'bob', 2);
await buy(live, 'ada', 0);
for (const user of ['ada', 'bob']) for (const sale of [over.id, live.id, null]) await attempt(user, sale);
await sql('update sales set retired = true, sold = 3 where id = $1', over.id);

test('a dry run says what there is, and changes nothing', async () => {
  const { status, stdout } = run('ada', '--dry-run');
  assert.equal(status, 0);
  assert.match(stdout, new RegExp(`${over.id} +2 +1 +1\\n`));
  assert.match(stdout, new RegExp(`${live.id} +1 +1 +1\\n`));
  assert.match(stdout, /all +3 +2 +3\n/);
  for (const table of ['purchases', 'decisions', 'checkout_attempts'])
    assert.deepEqual(await usersIn(table), ['ada', 'bob']);
});

test('a buyer is erased where a sale is over; a live one is left and named', async () => {
  const { status, stdout } = run('ada');
  assert.equal(status, 1);
  assert.match(stdout, new RegExp(`left alone: ${live.id}\\.`));
  const [, pseudonym] = /^Erased, as (erased-[0-9a-f]{24})\.$/m.exec(stdout)!;
  assert.deepEqual(await usersIn('checkout_attempts'), ['bob', pseudonym]);
  assert.deepEqual(
    await sql(
      `select user_id, count(*)::int from purchases where sale_id = $1 group by 1 order by 1`,
      over.id,
    ),
    [
      { user_id: 'bob', count: 1 },
      { user_id: pseudonym, count: 2 },
    ],
  );
  assert.deepEqual(await usersIn('decisions'), ['ada', 'bob', pseudonym]);
});

test('once every sale is over nothing is left, and a second run finds nothing', async () => {
  await sql('update sales set retired = true, sold = 1 where id = $1', live.id);
  assert.equal(run('ada').status, 0);
  for (const table of ['purchases', 'decisions', 'checkout_attempts'])
    assert.ok(!(await usersIn(table)).includes('ada'), table);
  const again = run('ada');
  assert.deepEqual([again.status, /all +0 +0 +0\n/.test(again.stdout)], [0, true]);
});

test('it is refused in one sentence without a user, or without a database', () => {
  for (const args of [[], ['ada', 'bob'], ['ada', '--wet']]) {
    const { status, stderr } = run(...args);
    assert.equal(status, 2);
    assert.match(stderr, /^forget-buyer: [^\n]+\n$/);
  }
});
