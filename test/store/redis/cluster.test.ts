import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withRedis } from '../../../campaigns/faults/dumps.ts';
import { startRedisCluster } from '../../../campaigns/faults/redis-cluster.ts';
import { SetupError } from '../../../src/config.ts';
import { auditSale } from '../../../src/store/audit/audit.ts';
import { createCheckouts } from '../../../src/store/checkouts.ts';
import { Fenced, Unavailable } from '../../../src/store/errors.ts';
import { keysOf, SOLD_CHANNEL } from '../../../src/store/keys.ts';
import { createOwners } from '../../../src/store/owners.ts';
import { createPurchases } from '../../../src/store/purchases.ts';
import { rebuildSale } from '../../../src/store/rebuild.ts';
import { slotOf } from '../../../src/store/redis/slots.ts';
import { openRedis } from '../../../src/store/redis.ts';
import { retireSale } from '../../../src/store/retire.ts';
import { isSellable } from '../../../src/store/sales.ts';
import { parseSoldEvent } from '../../../src/store/sold.ts';
import { readSale } from '../../../src/store/switch.ts';
import { atEnd } from '../../support/at-end.ts';
import { until } from '../../support/processes.ts';
import { openSale, openStores, type TestSale, temporaryDir } from '../../support/stores.ts';

const { postgres, sql, redisUrl } = await openStores();
const cluster = await startRedisCluster(temporaryDir(), false);
atEnd(cluster.stop);
const redis = await openRedis({ url: cluster.url, patient: false, onError: () => {} });
atEnd(redis.close);

/** Sales whose masters are three different ones. */
const sales: TestSale[] = [];
const masters = new Set<number>();
for (let tries = 0; sales.length < 3 && tries < 100; tries++) {
  const sale = await openSale({ redis, postgres }, { items: 6 });
  const { port } = await cluster.masterOf(sale.id);
  if (masters.has(port)) continue;
  masters.add(port);
  sales.push(sale);
}
const [one, two, three] = sales as [TestSale, TestSale, TestSale];

const heard = new Map<string, string[]>();
const subscribed: (string | undefined)[] = [];
await redis.subscribe(
  SOLD_CHANNEL,
  (message) => {
    const event = parseSoldEvent(message);
    if (event) heard.set(event.saleId, [...(heard.get(event.saleId) ?? []), ...event.itemIds]);
  },
  (saleId) => void subscribed.push(saleId),
  () => sales.map(({ id }) => id),
);

const cart = async (sale: TestSale, user: string, item: number) =>
  (await createCheckouts(redis, () => sale).add({ userId: user, itemId: sale.itemIds[item] as string }))
    .code as string;
async function buy(sale: TestSale, user: string, item: number) {
  // What a dead master cannot forget is carried over by the next rebuild.
  const purchases = createPurchases({
    redis,
    postgres,
    sale: () => sale,
    onError: () => {},
    forgetAfterMs: 0,
  });
  return (await purchases.add(await cart(sale, user, item))).outcome;
}
const rebuilt = async (sale: TestSale): Promise<TestSale> =>
  Object.assign(sale, { epoch: (await rebuildSale(redis, postgres, sale.id, assert.fail))!.epoch });
const hears = (sale: TestSale, item: number) =>
  until(`item ${item} is heard`, () => heard.get(sale.id)?.includes(sale.itemIds[item] as string));
/** Calls of scripts that a server has counted since it was started. */
async function callsAt(url: string): Promise<number> {
  const info = await withRedis(url, (client) => client.info('commandstats'));
  return Number(/^cmdstat_evalsha:calls=(\d+)/m.exec(info)?.[1] ?? 0);
}

test('slots are those of the Cluster itself', async () => {
  for (const key of [
    '{S-0123456789}:gate',
    'S-0123456789',
    '{S-ffffffffff}:sold',
    'foo{}{bar}',
    'foo{{bar}}zap',
    '123456789',
  ])
    assert.equal(slotOf(key), await redis.commandAt(key, 'CLUSTER', 'KEYSLOT', key), key);
});

test('each sale sells at the master of its slot, and only there', async () => {
  await until('every sale is subscribed to', () => sales.every(({ id }) => subscribed.includes(id)));
  for (const sale of sales) {
    const at = await cluster.masterOf(sale.id);
    const before = await Promise.all(cluster.nodes.map(({ url }) => callsAt(url)));
    assert.equal(await buy(sale, 'ada', 0), 'decided');
    await hears(sale, 0);
    await until('the books agree', async () => (await auditSale(redis, postgres, sale.id)).length === 0);
    const after = await Promise.all(cluster.nodes.map(({ url }) => callsAt(url)));
    for (const [n, node] of cluster.nodes.entries())
      assert.equal(after[n]! > before[n]!, node.port === at.port, `${node.port} was asked`);
    assert.ok((await readSale(redis, postgres, sale.id))!.nowMs > 0);
  }
  // A busy machine may have one silent for a second.
  await until('every master answers', async () => (await redis.commandAll('INFO', 'memory')).length === 3);
  await until('none is away', () => redis.away.length === 0);
});

test('a slot that moves in mid-sale is followed: nothing is sold on the way, and the books are right after it', async () => {
  const from = await cluster.masterOf(one.id);
  const to = cluster.nodes.find(({ port }) => port !== from.port)!;
  const late = await cart(one, 'bob', 1);
  const before = subscribed.filter((id) => id === one.id).length;
  await cluster.moveSlot(one.id, to, async () => {
    await assert.rejects(buy(one, 'cleo', 2), Unavailable, 'half of its keys are elsewhere');
    assert.equal(await buy(two, 'cleo', 2), 'decided');
  });
  // The first answer of the old master says where it is.
  await until('fenced where it is now', () =>
    buy(one, 'cleo', 2).then(
      () => assert.fail('another dataset let it in'),
      (error) => error instanceof Fenced,
    ),
  );
  assert.equal(await isSellable(redis, one), false);
  await rebuilt(one);
  const purchases = createPurchases({ redis, postgres, sale: () => one, onError: assert.ifError });
  assert.equal((await purchases.add(late)).outcome, 'decided', 'carts move along');
  await until(
    'subscribed to where it is now',
    () => subscribed.filter((id) => id === one.id).length > before,
  );
  assert.equal(await buy(one, 'dan', 3), 'decided');
  await hears(one, 3);
  await until('forgotten', async () => (await auditSale(redis, postgres, one.id)).length === 0);
  await cluster.moveSlot(one.id, from);
  await until('fenced where it was', async () => !(await isSellable(redis, one).catch(() => true)));
  await rebuilt(one);
  assert.equal(await buy(one, 'eve', 4), 'decided');
});

test('a master that is dead or silent takes its own sales with it, and no other', async () => {
  const node = await cluster.masterOf(two.id);
  const code = await cart(two, 'fay', 3);
  process.kill(node.pid, 'SIGSTOP');
  await assert.rejects(buy(two, 'gil', 4), { name: 'Unanswered' });
  assert.deepEqual(redis.away, [`127.0.0.1:${node.port}`]);
  await assert.rejects(buy(two, 'gil', 4), Unavailable);
  assert.deepEqual(
    [await buy(one, 'gil', 5), await buy(three, 'gil', 5), redis.isUp],
    ['decided', 'decided', true],
  );
  process.kill(node.pid, 'SIGCONT');
  // A master that was cut off waits for a moment before it answers again.
  await until('it sells on', async () => (await buy(two, 'gil', 4)) === 'decided');

  await node.kill();
  await until('it is known to be away', () => redis.away.length === 1);
  await assert.rejects(redis.command('GET', keysOf(two.id).gate), Unavailable);
  const ownerOf = createOwners(redis);
  const other = await cart(three, 'hal', 3);
  assert.deepEqual(
    await Promise.allSettled([ownerOf.add(other), ownerOf.add(code)]).then((all) =>
      all.map(({ status }) => status),
    ),
    ['fulfilled', 'rejected'],
  );
  assert.equal((await redis.commandAll('INFO', 'memory')).length, 2);
  const late = await openRedis({ url: cluster.url, patient: false, onError: () => {} });
  assert.deepEqual([late.isUp, late.away.length], [true, 1], 'who starts meanwhile sells the others');
  assert.equal(
    await late.command('GET', keysOf(three.id).gate),
    await redis.command('GET', keysOf(three.id).gate),
  );
  await late.close();
  await node.start();
  await until('it is another process', async () => !(await isSellable(redis, two)));
  await rebuilt(two);
  assert.equal(await ownerOf.add(code), 'fay', 'the append-only file had the carts');
  const before = heard.get(two.id)?.length ?? 0;
  assert.equal(await buy(two, 'hal', 5), 'decided');
  await until('heard again', () => (heard.get(two.id)?.length ?? 0) > before);
});

test('a sale that is over is retired at its master', async () => {
  const sale = await openSale({ redis, postgres }, { endsIn: 1_000 });
  const retire = () =>
    retireSale(redis, postgres, sale, {
      ...{ afterMs: 0, onContradiction: assert.fail, onSalvaged: () => {} },
      onDifferences: (differences) => assert.deepEqual(differences, []),
    });
  await until('it is retired', retire);
  assert.deepEqual(await sql('select retired from sales where id = $1', sale.id), [{ retired: true }]);
  assert.equal(await redis.command('EXISTS', ...Object.values(keysOf(sale.id))), 0);
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
  const single = new URL(redisUrl);
  await Promise.all([
    isRefused(`redis+cluster://:${single.password}@${single.host}`, /cluster support disabled/),
    isRefused(cluster.url.replace(':faults@', ':wrong@'), /WRONGPASS/),
    isRefused('redis+cluster://127.0.0.1:1', /ECONNREFUSED/),
  ]);
  const last = cluster.nodes.at(-1)!;
  const configure = (policy: string) =>
    withRedis(last.url, (client) => client.configSet('maxmemory-policy', policy));
  await configure('allkeys-lru');
  await isRefused(cluster.url, /maxmemory-policy allkeys-lru/);
  await configure('noeviction');
});
