import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startPostgresPair } from '../../campaigns/faults/postgres-pair.ts';
import { childrenOf, signalTo } from '../../campaigns/faults/processes.ts';
import { startLocalServices } from '../../src/private/services.ts';
import { auditSale } from '../../src/store/audit/audit.ts';
import { createCheckouts } from '../../src/store/checkouts.ts';
import { seekLeadership } from '../../src/store/leadership.ts';
import { migrate } from '../../src/store/migrate.ts';
import { openPostgres, type Postgres } from '../../src/store/postgres.ts';
import { createPurchases } from '../../src/store/purchases.ts';
import { rebuildSale } from '../../src/store/rebuild.ts';
import { openRedis } from '../../src/store/redis.ts';
import { atEnd } from '../support/at-end.ts';
import { until } from '../support/processes.ts';
import { openSale, temporaryDir } from '../support/stores.ts';

async function open(url: string): Promise<Postgres> {
  const postgres = await openPostgres({ url, connectionsMax: 8, patient: false, onError: () => {} });
  atEnd(postgres.close);
  return postgres;
}
const ask = async (postgres: Postgres, text: string) =>
  (await postgres.query<{ is: unknown }>({ name: '', text }))[0]?.is;

test('with a synchronous standby nothing that was answered is lost when the primary dies, and one pool follows', async () => {
  const pair = await startPostgresPair(temporaryDir(), migrate);
  atEnd(pair.stop);
  const { primary, standby, urls } = pair;
  const { redisUrl, stop } = await startLocalServices({
    ...{ dataDir: temporaryDir(), redis: true, postgres: false },
    ...{ redisServer: process.env.REDIS_SERVER, onExit: () => {} },
  });
  atEnd(stop);
  const redis = await openRedis({ url: redisUrl as string, patient: false, onError: () => {} });
  atEnd(redis.close);
  await pair.inStep();
  // It names the standby first, which is passed over.
  const before = await open(pair.url);
  const changes: boolean[] = [];
  const leadership = await seekLeadership(
    pair.url,
    () => true,
    (isLeader) => void changes.push(isLeader),
  );
  atEnd(leadership.close);
  assert.equal(leadership.isLeader, true);
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

  await assert.rejects(open(pair.url), /none of the 2 hosts of DATABASE_URL takes writes/);
  await pair.promote();
  const after = before;
  await until('the pool has followed', () => after.isUp);
  await until('it leads there', () => leadership.isLeader);
  assert.deepEqual(changes, [true, false, true]);
  const again = { ...sale, epoch: (await rebuildSale(redis, after, sale.id, assert.fail))!.epoch };
  const rows = await after.query<{ code: string }>({ name: '', text: 'select code from decisions' });
  for (const { code } of answered)
    assert.ok(
      rows.some((row) => row.code === code),
      code,
    );
  assert.equal((await buy(after, again, 'eve', 15)).outcome, 'decided');
  await until('the books agree', async () => (await auditSale(redis, after, sale.id)).length === 0);

  // The old primary comes back as it was, and would take writes: it was replaced, by its timeline.
  await primary.start();
  const portOf = async (postgres: Postgres) =>
    Number(await ask(postgres, `select current_setting('port')::int as is`));
  const ports = urls.map((url) => Number(new URL(url).port));
  assert.equal(await portOf(await open(urls[0])), ports[0]);
  assert.equal(await portOf(await open(pair.url)), ports[1]);
});
