import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startProxy } from '../../campaigns/faults/proxy.ts';
import { startLocalServices } from '../../src/private/services.ts';
import { createCheckouts } from '../../src/store/checkouts.ts';
import { decideCodes } from '../../src/store/decide.ts';
import { Fenced } from '../../src/store/errors.ts';
import { readDataset } from '../../src/store/fence.ts';
import { createPurchases } from '../../src/store/purchases.ts';
import { rebuildSale } from '../../src/store/rebuild.ts';
import { openRedis, type Redis } from '../../src/store/redis.ts';
import { isSellable } from '../../src/store/sales.ts';
import { atEnd } from '../support/at-end.ts';
import { until } from '../support/processes.ts';
import { openSale, openStores, type TestSale, temporaryDir } from '../support/stores.ts';

const { redis: first, redisUrl, postgres, sql } = await openStores();

/** A second Redis with the data of the first, master of its own. */
async function openCopy(): Promise<{ redis: Redis; url: URL }> {
  const { stop, redisUrl: own } = await startLocalServices({
    ...{ dataDir: temporaryDir(), redis: true, postgres: false },
    ...{ redisServer: process.env.REDIS_SERVER, onExit: () => {} },
  });
  atEnd(stop);
  const redis = await open(own!);
  await follow(redis, new URL(redisUrl));
  return { redis, url: new URL(own!) };
}

async function open(url: string): Promise<Redis> {
  const redis = await openRedis({ url, patient: false, onError: () => {} });
  atEnd(redis.close);
  return redis;
}

/** Makes a Redis a replica of another until it has all its data, and a master again. */
async function follow(redis: Redis, { port, password }: URL): Promise<void> {
  await redis.command('CONFIG', 'SET', 'masterauth', password);
  await redis.command('REPLICAOF', '127.0.0.1', port);
  await until('the copy', async () => {
    const info = await redis.command('INFO', 'replication').catch(() => '');
    return /master_link_status:up/.test(String(info));
  });
  await redis.command('REPLICAOF', 'NO', 'ONE');
}

async function cart(redis: Redis, sale: TestSale, user: string, ...items: string[]): Promise<string> {
  const checkouts = createCheckouts(redis, () => sale);
  const results = await Promise.all(items.map((itemId) => checkouts.add({ userId: user, itemId })));
  return results[0]!.code;
}
const buy = async (redis: Redis, sale: TestSale, user: string, ...items: string[]) => {
  const purchases = createPurchases({
    redis,
    postgres,
    sale: () => sale,
    onError: assert.ifError,
    forgetAfterMs: 0,
  });
  return purchases.add(await cart(redis, sale, user, ...items));
};
const rebuilt = async (redis: Redis, sale: TestSale): Promise<TestSale> => {
  const rebuilt = await rebuildSale(redis, postgres, sale.id, assert.fail);
  return { ...sale, epoch: rebuilt!.epoch };
};
const held = async (user: string) => (await sql('select 1 from purchases where user_id = $1', user)).length;

await first.command('CONFIG', 'SET', 'repl-diskless-sync-delay', '0');
// Its first replica gives a Redis another replication id; later ones do not.
await openCopy();

test('a Redis that was a replica for a while lets nobody in: same process, same connection, older data', async () => {
  const sale = await openSale({ redis: first, postgres }, { items: 6, limit: 2 });
  const [a = '', b = '', c = '', d = ''] = sale.itemIds;
  const { url } = await openCopy();
  const before = await readDataset(first.command);
  assert.equal((await buy(first, sale, 'ada', a, b)).outcome, 'decided');
  await follow(first, url);
  assert.notEqual(await readDataset(first.command), before);
  assert.equal(
    (await readDataset(first.command))?.split(':')[0],
    before?.split(':')[0],
    'the run id is the same',
  );
  assert.equal(await isSellable(first, sale), false);
  await assert.rejects(buy(first, sale, 'ada', c, d), Fenced);
  await assert.rejects(buy(first, sale, 'bob', a), Fenced);
  const again = await rebuilt(first, sale);
  const checkouts = createCheckouts(first, () => again);
  assert.equal((await checkouts.add({ userId: 'ada', itemId: c })).outcome, 'limit');
  assert.equal((await checkouts.add({ userId: 'bob', itemId: a })).outcome, 'item-sold');
  assert.equal(await held('ada'), 2);
});

test('a proxy that changes the Redis behind an open connection changes nothing for buyers', async () => {
  const sale = await openSale({ redis: first, postgres }, { items: 6, limit: 2 });
  const [a = '', b = '', c = '', d = ''] = sale.itemIds;
  const { url: copyUrl } = await openCopy();
  const { port, password } = new URL(redisUrl);
  const proxy = await startProxy(Number(port));
  atEnd(proxy.close);
  const through = await open(`redis://default:${password}@127.0.0.1:${proxy.port}`);
  const code = await cart(through, sale, 'cleo', a, b);
  const late = await cart(through, sale, 'dan', a);
  assert.equal((await decideCodes(through, sale, [code])).results[0]?.outcome, 'decided');

  const hello = (words: string) => `HELLO 3 AUTH default ${words}\r\n`;
  await proxy.swap(Number(copyUrl.port), hello(copyUrl.password));
  assert.equal(through.isUp, true, 'nobody has told it');
  await assert.rejects(decideCodes(through, sale, [late]), Fenced);
  await assert.rejects(cart(through, sale, 'cleo', c), Fenced);
  const onCopy = await rebuilt(through, sale);
  assert.equal((await buy(through, onCopy, 'eve', a, c)).outcome, 'decided');

  await proxy.swap(Number(port), hello(password));
  assert.equal(await isSellable(through, onCopy), false);
  await assert.rejects(decideCodes(through, onCopy, [late]), Fenced, 'the old epoch is here, and is over');
  const back = await rebuilt(through, onCopy);
  const { results } = await decideCodes(through, back, [code, late]);
  assert.deepEqual(
    results.map((result) => ('decision' in result ? result.decision.lines : result.outcome)),
    ['no-code', [`-${a}`]],
    'what was decided on the other and never answered is void',
  );
  assert.equal((await buy(through, back, 'cleo', b, d)).outcome, 'decided');
  assert.deepEqual([await held('cleo'), await held('eve')], [2, 2]);
});

test('a rebuild whose Redis is exchanged half-way goes no further', async () => {
  const sale = await openSale({ redis: first, postgres });
  const copy = await openCopy();
  const { port, password } = new URL(redisUrl);
  const proxy = await startProxy(Number(port));
  atEnd(proxy.close);
  const through = await open(`redis://default:${password}@127.0.0.1:${proxy.port}`);
  let calls = 0;
  const swapping: Redis = {
    ...through,
    isUp: true,
    async run(...call) {
      if (++calls === 4)
        await proxy.swap(Number(copy.url.port), `HELLO 3 AUTH default ${copy.url.password}\r\n`);
      return through.run(...call);
    },
  };
  assert.equal(await rebuildSale(swapping, postgres, sale.id, assert.fail), undefined);
  assert.ok(calls >= 4);
  for (const redis of [first, copy.redis])
    for (const epoch of [sale.epoch, sale.epoch + 1])
      assert.equal(await isSellable(redis, { ...sale, epoch }), false);
});
