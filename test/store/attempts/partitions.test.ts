import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import {
  addPartitions,
  countStrayAttempts,
  dropOldAttempts,
} from '../../../src/store/attempts/partitions.ts';
import { Overloaded } from '../../../src/store/errors.ts';
import { openPostgres } from '../../../src/store/postgres.ts';
import { atEnd } from '../../support/at-end.ts';
import { openStores } from '../../support/stores.ts';

const { postgres, databaseUrl, sql } = await openStores();
const DAY_MS = 86_400_000;
const day = (text: string) => Date.parse(`${text}T12:00:00Z`);

const attempt = (at: string, id: string) =>
  sql(
    `insert into checkout_attempts (at, worker, outcome, request_id) values ($1, 0, 'accepted', $2)`,
    at,
    id,
  );
const partsOf = async (like: string) =>
  (
    await sql(
      `select tableoid::regclass::text as part from checkout_attempts where request_id like $1 order by request_id`,
      like,
    )
  ).map(({ part }) => part);
const partitions = async () =>
  (
    await sql(
      `select inhrelid::regclass::text as part from pg_inherits where inhparent = 'checkout_attempts'::regclass order by 1`,
    )
  ).map(({ part }) => part);

/** What pg_dump holds for as long as it runs. */
async function dump() {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query('begin isolation level repeatable read');
  for (const part of ['checkout_attempts', ...(await partitions())])
    await client.query(`lock table ${part} in access share mode`);
  return {
    end: async () => {
      await client.query('rollback');
      await client.end();
    },
  };
}

test('each day has its partition, made ahead and once, and a day without one lands in the default', async () => {
  await addPartitions(postgres, day('2031-03-31'), 1);
  await addPartitions(postgres, day('2031-03-31'), 1);
  for (const [id, at] of Object.entries({
    'day-1': '2031-03-31T00:00:00Z',
    'day-2': '2031-04-01T23:59:59Z',
    'day-3': '2031-04-02T00:00:00Z',
  }))
    await attempt(at, id);
  assert.deepEqual(await partsOf('day-%'), [
    'checkout_attempts_20310331',
    'checkout_attempts_20310401',
    'checkout_attempts_other',
  ]);
  assert.equal(await countStrayAttempts(postgres), 1);
});

test('what has landed in the default partition moves into that of its day', async () => {
  await addPartitions(postgres, day('2031-04-02'), 0);
  assert.deepEqual((await partsOf('day-3'))[0], 'checkout_attempts_20310402');
  assert.equal(await countStrayAttempts(postgres), 0);
  await addPartitions(postgres, day('2031-04-03'), 0);
  assert.ok((await partitions()).includes('checkout_attempts_20310403'));
});

test('a dump holds up no attempt, and no partition for longer than itself', async () => {
  const other = await openPostgres({
    url: databaseUrl,
    connectionsMax: 2,
    patient: false,
    onError: assert.fail,
  });
  atEnd(other.close);
  const running = await dump();
  const adding = assert.rejects(addPartitions(postgres, day('2031-05-01'), 0), Overloaded);
  // While it waits for its lock, another box writes.
  const write = {
    name: '',
    text: `insert into checkout_attempts (at, worker, outcome, request_id) values ('2031-04-01T10:00:00Z', 0, 'accepted', 'beside')`,
  };
  const first = await Promise.race([
    adding.then(() => 'the lock'),
    other.query(write).then(() => 'the attempt'),
  ]);
  assert.equal(first, 'the attempt');
  await adding;
  assert.equal(postgres.isUp, true);
  await running.end();
  await addPartitions(postgres, day('2031-05-01'), 0);
  assert.ok((await partitions()).includes('checkout_attempts_20310501'));
});

test('days older than they are to be kept go, with the segments of that time, and no others', async () => {
  const nowMs = Date.now();
  await addPartitions(postgres, nowMs - 40 * DAY_MS, 12);
  const before = (await partitions()).length;
  await sql(
    `insert into attempt_segments (id, attempts, shipped_at) values ('old', 1, now() - interval '31 days'), ('new', 1, now())`,
  );
  // Clocks that were wrong by weeks: their days have no partition.
  await sql(`insert into checkout_attempts (at, worker, outcome, request_id)
    select now() + make_interval(days => days), 0, 'accepted', 'stray ' || days from unnest(array[-60, 20]) as days`);
  const dropped = await dropOldAttempts(postgres, 30);
  const nameOf = (days: number) =>
    `checkout_attempts_${new Date(nowMs - days * DAY_MS).toISOString().slice(0, 10).replaceAll('-', '')}`;
  assert.deepEqual(
    dropped,
    Array.from({ length: 10 }, (_, i) => nameOf(40 - i)),
  );
  assert.equal((await partitions()).length, before - 10);
  assert.ok((await partitions()).includes(nameOf(30)));
  assert.deepEqual(await sql('select id from attempt_segments'), [{ id: 'new' }]);
  assert.deepEqual(
    await sql(`select request_id from checkout_attempts_other where request_id like 'stray%'`),
    [{ request_id: 'stray 20' }],
  );
  assert.deepEqual(await dropOldAttempts(postgres, 30), []);
});
