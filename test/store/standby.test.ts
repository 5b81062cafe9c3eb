import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { test } from 'node:test';
import { childrenOf, ownServer, signalTo } from '../../campaigns/faults/stores.ts';
import { preparePostgres } from '../../src/private/postgres.ts';
import { postgresUrl } from '../../src/private/postgres-cluster.ts';
import { startLocalServices } from '../../src/private/services.ts';
import { auditSale } from '../../src/store/audit/audit.ts';
import { createCheckouts } from '../../src/store/checkouts.ts';
import { migrate } from '../../src/store/migrate.ts';
import { openPostgres, type Postgres } from '../../src/store/postgres.ts';
import { createPurchases } from '../../src/store/purchases.ts';
import { rebuildSale } from '../../src/store/rebuild.ts';
import { openRedis } from '../../src/store/redis.ts';
import { atEnd } from '../support/at-end.ts';
import { until } from '../support/processes.ts';
import { freePort } from '../support/service.ts';
import { openSale, temporaryDir } from '../support/stores.ts';

const PASSWORD = 'password';
const REPLICATES = ['-c', 'wal_level=replica', '-c', 'max_wal_senders=4'];

/** A Postgres whose commits wait for its standby, which is a copy that follows it. */
async function startPair() {
  const dirs = [temporaryDir(), temporaryDir()] as const;
  const ports = [await freePort(), await freePort()] as const;
  const first = await preparePostgres(dirs[0], ports[0], { value: PASSWORD, isNew: true });
  const urls = ports.map((port) => postgresUrl(port, PASSWORD));
  const alone = ownServer({ ...first, args: [...first.args, ...REPLICATES] });
  await alone.start();
  await migrate(urls[0] as string);
  await alone.kill('SIGINT');
  // With its owner, who is not ours when we are root.
  mkdirSync(dirs[1], { recursive: true });
  execFileSync('cp', ['-a', `${dirs[0]}/postgres`, `${dirs[1]}/postgres`]);
  execFileSync('cp', ['-a', `${dirs[0]}/postgres/PG_VERSION`, `${dirs[1]}/postgres/standby.signal`]);
  const second = await preparePostgres(dirs[1], ports[1], { value: PASSWORD, isNew: false });
  const follow = `primary_conninfo=host=127.0.0.1 port=${ports[0]} user=flashsale password=${PASSWORD}`;
  const primary = ownServer({
    ...first,
    args: [...first.args, ...REPLICATES, '-c', 'synchronous_standby_names=*'],
  });
  const standby = ownServer({ ...second, args: [...second.args, ...REPLICATES, '-c', follow] });
  await Promise.all([primary.start(), standby.start()]);
  atEnd(() => Promise.all([primary.kill('SIGQUIT'), standby.kill('SIGQUIT')]));
  return { primary, standby, urls: urls as [string, string] };
}

async function open(url: string): Promise<Postgres> {
  const postgres = await openPostgres({ url, connectionsMax: 8, patient: false, onError: () => {} });
  atEnd(postgres.close);
  return postgres;
}
const ask = async (postgres: Postgres, text: string) =>
  (await postgres.query<{ is: unknown }>({ name: '', text }))[0]?.is;

test('with a synchronous standby nothing that was answered is lost when the primary dies', async () => {
  const { primary, standby, urls } = await startPair();
  const { redisUrl, stop } = await startLocalServices({
    ...{ dataDir: temporaryDir(), redis: true, postgres: false },
    ...{ redisServer: process.env.REDIS_SERVER, onExit: () => {} },
  });
  atEnd(stop);
  const redis = await openRedis({ url: redisUrl as string, patient: false, onError: () => {} });
  atEnd(redis.close);
  const before = await open(urls[0]);
  await until(
    'commits wait for it',
    async () => (await ask(before, `select sync_state as is from pg_stat_replication`)) === 'sync',
  );
  // What a session of the service sets leaves the standby in.
  assert.equal(await ask(before, `select current_setting('synchronous_commit') as is`), 'on');

  const sale = await openSale({ redis, postgres: before }, { items: 20 });
  const buy = async (postgres: Postgres, of: typeof sale, user: string, item: number) => {
    const { code } = await createCheckouts(redis, () => of).add({
      userId: user,
      itemId: of.itemIds[item] as string,
    });
    const purchases = createPurchases({ redis, postgres, sale: () => of, onError: () => {} });
    const { outcome } = await purchases.add(code as string);
    return { code: code as string, outcome };
  };
  const answered = await Promise.all(Array.from({ length: 8 }, (_, n) => buy(before, sale, `ada-${n}`, n)));
  assert.ok(answered.every(({ outcome }) => outcome === 'decided'));

  // The standby is silent: what is bought now may reach the primary's disk, and is not answered.
  const signalStandby = (signal: NodeJS.Signals) => {
    for (const pid of [standby.pid, ...childrenOf(standby.pid)]) signalTo(pid, signal);
  };
  atEnd(() => signalStandby('SIGCONT'));
  signalStandby('SIGSTOP');
  assert.equal((await buy(before, sale, 'late', 10)).outcome, 'unknown');
  await primary.kill();
  signalStandby('SIGCONT');

  const after = await open(urls[1]).catch(async () => {
    throw new Error('the standby cannot be reached');
  });
  assert.equal(await ask(after, 'select pg_promote() as is'), true);
  const again = { ...sale, epoch: (await rebuildSale(redis, after, sale.id, assert.fail))!.epoch };
  const rows = await after.query<{ code: string }>({ name: '', text: 'select code from decisions' });
  for (const { code } of answered)
    assert.ok(
      rows.some((row) => row.code === code),
      code,
    );
  assert.equal((await buy(after, again, 'eve', 15)).outcome, 'decided');
  await until('the books agree', async () => (await auditSale(redis, after, sale.id)).length === 0);
});
