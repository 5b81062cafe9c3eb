import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withRedis } from '../../../campaigns/faults/dumps.ts';
import { startSentinels } from '../../../campaigns/faults/sentinels.ts';
import { SetupError } from '../../../src/config.ts';
import { createCheckouts } from '../../../src/store/checkouts.ts';
import { decideCodes } from '../../../src/store/decide.ts';
import { Fenced, Unavailable } from '../../../src/store/errors.ts';
import { SOLD_CHANNEL } from '../../../src/store/keys.ts';
import { createPurchases } from '../../../src/store/purchases.ts';
import { rebuildSale } from '../../../src/store/rebuild.ts';
import { openRedis, type Redis } from '../../../src/store/redis.ts';
import { isSellable } from '../../../src/store/sales.ts';
import { parseSoldEvent } from '../../../src/store/sold.ts';
import { atEnd } from '../../support/at-end.ts';
import { until } from '../../support/processes.ts';
import { openSale, openStores, type TestSale, temporaryDir } from '../../support/stores.ts';

const { postgres, sql } = await openStores();
const trio = await startSentinels(temporaryDir());
atEnd(trio.stop);
const redis = await openRedis({ url: trio.url, patient: false, onError: () => {} });
atEnd(redis.close);

const heard: string[] = [];
let subscriptions = 0;
await redis.subscribe(
  SOLD_CHANNEL,
  (message) => void heard.push(...(parseSoldEvent(message)?.itemIds ?? [])),
  () => void subscriptions++,
);

async function buy(sale: TestSale, user: string, itemId: string) {
  const { code } = await createCheckouts(redis, () => sale).add({ userId: user, itemId });
  // What a dead master cannot forget is carried over by the next rebuild.
  const purchases = createPurchases({ redis, postgres, sale: () => sale, onError: () => {} });
  return purchases.add(code as string);
}
const roleOf = async (of: Redis) => /role:(\w+)/.exec(String(await of.command('INFO', 'replication')))?.[1];
const rebuilt = async (sale: TestSale): Promise<TestSale> => ({
  ...sale,
  epoch: (await rebuildSale(redis, postgres, sale.id, assert.fail))!.epoch,
});

test('scripts, commands and the subscription reach the master that the Sentinels name', async () => {
  assert.equal(await roleOf(redis), 'master');
  const sale = await openSale({ redis, postgres });
  const [a = ''] = sale.itemIds;
  await until('subscribed', () => subscriptions > 0);
  assert.equal((await buy(sale, 'ada', a)).outcome, 'decided');
  await until('heard', () => heard.includes(a));
});

test('what cannot work is said in one sentence at the start', async () => {
  const open = (url: string) => openRedis({ url, patient: false, onError: () => {} });
  const isRefused = (url: string, words: RegExp) =>
    // A machine that is busy may find nothing out in time, and then says so.
    until(String(words), async () => {
      const error = (await open(url).catch((thrown) => thrown)) as Error;
      assert.ok(error instanceof SetupError, error.stack);
      assert.match(error.message, /^[^\n]*REDIS_URL[^\n]*\.$/);
      assert.doesNotMatch(error.message, /faults/, 'no password');
      return words.test(error.message);
    });
  await Promise.all([
    isRefused(trio.url.replace('/shop', '/other'), /No such master/),
    isRefused(trio.url.replace('sentinel_password=faults', ''), /NOAUTH|required/i),
    isRefused(trio.url.replace(':faults@', ':wrong@'), /WRONGPASS/),
    isRefused('redis+sentinel://127.0.0.1:1/shop', /ECONNREFUSED/),
  ]);
  const configure = (policy: string) => redis.command('CONFIG', 'SET', 'maxmemory-policy', policy);
  await configure('allkeys-lru');
  await isRefused(trio.url, /maxmemory-policy allkeys-lru/);
  await configure('noeviction');
});

test('an orderly failover, with a Sentinel that does not answer, is followed as well', async () => {
  const sale = await openSale({ redis, postgres });
  const [paused, other] = trio.sentinels;
  process.kill(paused!.pid, 'SIGSTOP');
  try {
    await withRedis(other!.url, (client) => client.sendCommand(['SENTINEL', 'FAILOVER', 'shop']));
    const from = trio.master().port;
    await until('fenced by the new master', async () => {
      const port = await redis.command('CONFIG', 'GET', 'port').catch(() => undefined);
      return port !== undefined && (port as Record<string, string>).port !== String(from);
    });
  } finally {
    process.kill(paused!.pid, 'SIGCONT');
  }
  await trio.failedOver();
  assert.equal(await roleOf(redis), 'master');
  await assert.rejects(buy(sale, 'ada', sale.itemIds[0] as string), Fenced);
  assert.equal((await buy(await rebuilt(sale), 'ada', sale.itemIds[0] as string)).outcome, 'decided');
});

test('after a failover the promoted replica sells what is left once it is rebuilt, and is subscribed to', async () => {
  const sale = await openSale({ redis, postgres });
  const [a = '', b = '', c = ''] = sale.itemIds;
  assert.equal((await buy(sale, 'ada', a)).outcome, 'decided');
  const { code: late } = await createCheckouts(redis, () => sale).add({ userId: 'bob', itemId: b });
  const before = subscriptions;
  const old = trio.master();
  await old.kill();
  await assert.rejects(decideCodes(redis, sale, [late as string]), (error: Error) => {
    assert.match(error.name, /^Un(available|answered)$/);
    return true;
  });
  await until('known to be away', () => !redis.isUp);
  await assert.rejects(redis.command('GET', 'x'), Unavailable, 'nothing waits for a master');

  await trio.failedOver();
  await until('on the new master', () => redis.isUp);
  await until('subscribed again', () => subscriptions > before);
  assert.equal(await isSellable(redis, sale), false);
  await assert.rejects(decideCodes(redis, sale, [late as string]), Fenced);
  const again = await rebuilt(sale);
  const taken = await createCheckouts(redis, () => again).add({ userId: 'bob', itemId: a });
  assert.equal(taken.outcome, 'item-sold');
  assert.equal((await buy(again, 'cleo', c)).outcome, 'decided');
  await until('heard from the new master', () => heard.includes(c));
  assert.equal((await sql('select 1 from purchases where sale_id = $1', sale.id)).length, 2);
});
