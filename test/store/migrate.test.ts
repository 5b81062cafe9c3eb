import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import pg from 'pg';
import { migrate } from '../../src/store/migrate.ts';
import { atEnd } from '../support/at-end.ts';
import { until } from '../support/processes.ts';
import { openStores } from '../support/stores.ts';

const { sql, databaseUrl } = await openStores();
const files = readdirSync(new URL('../../../sql/migrations/', import.meta.url)).sort();

/** The URL of a database that is new and empty. */
async function newDatabase(name: string): Promise<string> {
  await sql(`create database ${name}`);
  const url = new URL(databaseUrl);
  url.pathname = `/${name}`;
  return url.href;
}

test('every migration has a number of its own', () => {
  const numbers = files.map((file) => Number(file.slice(0, 3)));
  assert.ok(numbers.every((number) => number > 0));
  assert.equal(new Set(numbers).size, files.length);
});

test('an empty database gets every migration in order; afterwards there is nothing to do', async () => {
  const url = await newDatabase('empty');
  assert.deepEqual(await migrate(url), files);
  assert.deepEqual(await migrate(url), []);
});

test('many boxes may migrate at once: each migration runs once', async () => {
  const url = await newDatabase('shared');
  const ran = await Promise.all(Array.from({ length: 6 }, () => migrate(url)));
  assert.deepEqual(ran.flat().sort(), files);
});

test('a migration that fails leaves nothing behind, and runs again the next time', async () => {
  const url = await newDatabase('broken');
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  atEnd(() => client.end().catch(() => {}));
  await client.query('create table decisions (something_else int)');
  await assert.rejects(migrate(url), /decisions/);
  const { rows } = await client.query(
    `select to_regclass('sales') as sales, (select count(*)::int from migrations) as done`,
  );
  assert.deepEqual(rows, [{ sales: null, done: 0 }]);
  await client.query('drop table decisions');
  await client.end();
  assert.deepEqual(await migrate(url), files);
});

test('a migration waits for a table that is held, and lets others work on it meanwhile', async () => {
  const url = await newDatabase('held');
  await migrate(url);
  const [holder, seller] = [1, 2].map(() => new pg.Client({ connectionString: url })) as [
    pg.Client,
    pg.Client,
  ];
  await Promise.all([holder.connect(), seller.connect()]);
  atEnd(() => Promise.all([holder.end(), seller.end()]));
  await seller.query('alter table sales drop column sold; drop index sales_by_start');
  await seller.query('delete from migrations where number = 4');
  await holder.query('begin; lock table sales in access share mode');
  const migrating = migrate(url);
  const waiting = `select from pg_locks where not granted and relation = 'sales'::regclass`;
  for (let round = 0; round < 2; round++) {
    await until('the migration waits', async () => (await seller.query(waiting)).rows.length > 0);
    await seller.query('update sales set total = total');
  }
  await holder.query('rollback');
  assert.deepEqual(await migrating, ['004_sold_counts.sql']);
});

test('the constraints refuse what must not be', async () => {
  const sale = (id: string, total = 1, limit = 1, ends = '2031-01-01 01:00Z', hourly = false) =>
    sql(
      `insert into sales (id, starts_at, ends_at, total, user_limit, hourly) values ($1, '2031-01-01 00:00Z', $2, $3, $4, $5)`,
      id,
      ends,
      total,
      limit,
      hourly,
    );
  await sale('S-0000000001');
  const item = (id: string, position: number, of = 'S-0000000001') =>
    sql(
      `insert into items (id, sale_id, position, name, image_url, stock) values ($1, $2, $3, 'name', 'url', 3)`,
      id,
      of,
      position,
    );
  await item('a', 0);
  await sql(`insert into purchases values ('S-0000000001', 'a', 'code1', 'ada', now())`);
  await sql(`insert into decisions values ('code1', 'S-0000000001', 'ada', now(), '+a')`);
  const unit = (n: number, stock: number | null) =>
    sql(`insert into purchases values ('S-0000000001', 'a', 'code1', 'ada', now(), $1, $2)`, n, stock);
  await unit(1, 3);
  const refused: [() => Promise<unknown>, string][] = [
    [() => sale('S-1'), '23514'],
    [() => sale('S-0000000001'), '23505'],
    [() => sale('S-0000000002', 0), '23514'],
    [() => sale('S-0000000002', 1, 0), '23514'],
    [() => sale('S-0000000002', 1, 1, '2031-01-01 00:00Z'), '23514'],
    [() => item('a', 1), '23505'],
    [() => item('b', 0), '23505'],
    [() => item('b b', 1), '23514'],
    [() => item('b', 1, 'S-0000000009'), '23503'],
    [() => sql(`insert into purchases values ('S-0000000001', 'a', 'code2', 'bob', now())`), '23505'],
    [() => unit(1, 3), '23505'],
    [() => unit(3, 3), '23514'],
    [() => unit(-1, 3), '23514'],
    [() => unit(2, null), '23514'],
    [() => sql(`update items set stock = 0 where id = 'a'`), '23514'],
    [() => sql(`update items set stock = 1000001 where id = 'a'`), '23514'],
    [() => sql(`insert into decisions values ('code1', 'S-0000000001', 'bob', now(), '-a')`), '23505'],
  ];
  for (const [attempt, code] of refused) await assert.rejects(attempt(), { code });
  await sale('S-0000000003', 1, 1, '2031-01-01 01:00Z', true);
  await assert.rejects(sale('S-0000000004', 1, 1, '2031-01-01 01:00Z', true), { code: '23505' });
});
