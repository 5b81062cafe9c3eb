import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import pg from 'pg';
import { pino } from 'pino';
import { createShipper } from '../../../src/primary/duties/shipper.ts';
import { openAttemptLog } from '../../../src/store/attempts/spool.ts';
import { atEnd } from '../../support/at-end.ts';
import { until } from '../../support/processes.ts';
import { openStores } from '../../support/stores.ts';

const { postgres, databaseUrl, dataDir, sql } = await openStores();
const dir = join(dataDir, 'spool');
mkdirSync(dir);
const shipper = createShipper({
  postgres,
  dir,
  log: pino({ level: 'silent' }),
  keepDays: 30,
  isWritten: () => false,
  onFull: () => assert.fail(),
});
const operator = new pg.Client({ connectionString: databaseUrl });
await operator.connect();
atEnd(() => operator.end());

async function write(userId: string): Promise<void> {
  const log = openAttemptLog(dir, 0, 'run');
  const [saleId, itemId] = ['S-0000000000', 'x'];
  await log.record({
    atMs: Date.now(),
    saleId,
    userId,
    itemId,
    outcome: 'accepted',
    code: undefined,
    requestId: 'r',
  });
  log.close();
}
const segments = () => readdirSync(dir).filter((name) => name.endsWith('.segment'));
const shipped = async () =>
  (await sql('select distinct user_id from checkout_attempts order by user_id')).map(
    ({ user_id }) => user_id,
  );

test('a server that cannot write for a moment costs no segment', async () => {
  await write('ada');
  await operator.query('alter system set default_transaction_read_only = on');
  await operator.query('select pg_reload_conf()');
  await until('read-only', async () => {
    // A session hears of the setting when it likes; what was shipped until then is written again.
    if (segments().length === 0) await write('ada');
    return shipper.ship().then(
      () => false,
      () => !postgres.isUp,
    );
  });
  await write('bob');
  assert.equal(segments().length, 2);
  await operator.query('set default_transaction_read_only = off');
  await operator.query('alter system reset default_transaction_read_only');
  await operator.query('select pg_reload_conf()');
  await until('it writes', () => postgres.isUp);
  await shipper.ship();
  assert.deepEqual([await shipped(), readdirSync(dir)], [['ada', 'bob'], []]);
});

test('a segment whose shipping an operator cancels is shipped the next time', async () => {
  await write('cleo');
  await operator.query('begin');
  await operator.query('lock table checkout_attempts in access exclusive mode');
  const shipping = shipper.ship().catch(() => {});
  // Over another connection: within a transaction the view does not change.
  const cancel = `select pg_cancel_backend(pid) from pg_stat_activity
    where query like '%copy checkout_attempts%' and pid <> pg_backend_pid()`;
  await until('a cancel', async () => (await sql(cancel)).length > 0);
  await shipping;
  await operator.query('rollback');
  assert.equal(readdirSync(dir).length, 1);
  await shipper.ship();
  assert.deepEqual([await shipped(), readdirSync(dir)], [['ada', 'bob', 'cleo'], []]);
});

test('a segment of broken bytes is put aside, and the others are shipped', async () => {
  writeFileSync(join(dir, '0-1-broken.segment'), 'no time\t0\tx\n');
  await write('dora');
  await shipper.ship();
  assert.deepEqual(await shipped(), ['ada', 'bob', 'cleo', 'dora']);
  assert.deepEqual(readdirSync(dir), ['0-1-broken.segment.refused']);
  const daysAgo = (days: number) => Date.now() / 1_000 - days * 86_400;
  utimesSync(join(dir, '0-1-broken.segment.refused'), daysAgo(29), daysAgo(29));
  await shipper.ship();
  assert.deepEqual(readdirSync(dir), ['0-1-broken.segment.refused'], 'kept as long as attempts are');
  utimesSync(join(dir, '0-1-broken.segment.refused'), daysAgo(31), daysAgo(31));
  await shipper.ship();
  assert.deepEqual(readdirSync(dir), []);
});
