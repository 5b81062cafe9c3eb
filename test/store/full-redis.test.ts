import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cartsMax, createCheckouts } from '../../src/store/checkouts.ts';
import { commitDecisions } from '../../src/store/commit.ts';
import { decideCodes, forgetEntries } from '../../src/store/decide.ts';
import { Unavailable } from '../../src/store/errors.ts';
import { fenceOf } from '../../src/store/fence.ts';
import { keysOf } from '../../src/store/keys.ts';
import { sweepOutbox } from '../../src/store/outbox.ts';
import { createPurchases } from '../../src/store/purchases.ts';
import { script } from '../../src/store/redis.ts';
import { retireSale } from '../../src/store/retire.ts';
import { isSellable } from '../../src/store/sales.ts';
import { until } from '../support/processes.ts';
import { openSale, openStores, type TestSale } from '../support/stores.ts';

const stores = await openStores();
const { redis, postgres, sql } = stores;

async function memory(field: string): Promise<number> {
  const info = String(await redis.command('INFO', 'memory'));
  return Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(info)?.[1]);
}

/** Sets maxmemory a little above what is used, and fills carts until Redis refuses one. */
async function fill(sale: TestSale): Promise<Error> {
  await redis.command('CONFIG', 'SET', 'maxmemory', String((await memory('used_memory')) + 1_000_000));
  const checkouts = createCheckouts(redis, () => sale);
  for (let crowd = 0; crowd < 200; crowd++) {
    const adding = Array.from({ length: 256 }, (_, i) =>
      checkouts.add({ userId: `crowd-${crowd}-${i}`, itemId: sale.itemIds[i % sale.total]! }),
    );
    const refused = (await Promise.allSettled(adding)).find((each) => each.status === 'rejected');
    if (refused) return refused.reason as Error;
  }
  throw new Error('Redis is never full');
}

test('a full Redis refuses new carts alone: carts are bought, sales are swept, retired and loaded', async () => {
  const sale = await openSale(stores, { items: 50, endsIn: 3_000 });
  const [a = '', b = ''] = sale.itemIds;
  const checkouts = createCheckouts(redis, () => sale);
  const { code } = await checkouts.add({ userId: 'ada', itemId: a });
  const left = await checkouts.add({ userId: 'bob', itemId: b });
  const { results } = await decideCodes(redis, sale, [left.code]);

  const refusal = await fill(sale);
  assert.ok(refusal instanceof Unavailable, String(refusal));
  assert.match(refusal.message, /^OOM/);

  const purchases = createPurchases({ redis, postgres, sale: () => sale, onError: assert.ifError });
  assert.equal((await purchases.add(code)).outcome, 'decided');
  assert.equal(await isSellable(redis, sale), true);
  await until('the sweep', async () => {
    await sweepOutbox(redis, postgres, sale, 0, assert.fail);
    return (await redis.command('XLEN', keysOf(sale.id).outbox)) === 0;
  });
  assert.equal((await sql('select 1 from purchases where sale_id = $1', sale.id)).length, 2);
  await commitDecisions(
    postgres,
    sale,
    results.flatMap((result) => ('decision' in result ? [result.decision] : [])),
  );

  const next = await openSale(stores, { items: 50 });
  assert.equal(await isSellable(redis, next), true, 'the next sale is loaded');
  await assert.rejects(createCheckouts(redis, () => next).add({ userId: 'ada', itemId: next.itemIds[0]! }));

  const full = await memory('used_memory');
  await until('its end', () =>
    retireSale(redis, postgres, sale, {
      afterMs: 0,
      onContradiction: assert.fail,
      onSalvaged: (decisions) => assert.equal(decisions, 0),
      onDifferences: () => assert.fail('the books differ'),
    }),
  );
  assert.ok((await memory('used_memory')) < full);
  const cart = await until('there is room', () =>
    createCheckouts(redis, () => next)
      .add({ userId: 'ada', itemId: next.itemIds[0]! })
      .catch(() => undefined),
  );
  assert.equal(cart.outcome, 'added');
  await redis.command('CONFIG', 'SET', 'maxmemory', '0');
});

test('forgetting works in a full Redis too', async () => {
  const sale = await openSale(stores, { items: 5 });
  const { code } = await createCheckouts(redis, () => sale).add({ userId: 'ada', itemId: sale.itemIds[0]! });
  const { fence, entryId } = await decideCodes(redis, sale, [code]);
  await redis.command('CONFIG', 'SET', 'maxmemory', '1000000');
  assert.equal(await forgetEntries(redis, sale.id, fence, [entryId]), true);
  await redis.command('CONFIG', 'SET', 'maxmemory', '0');
  assert.equal(await redis.command('XLEN', keysOf(sale.id).outbox), 0);
});

test('a sale holds so many carts at the most; carts that are there still grow', async () => {
  assert.deepEqual([cartsMax(50), cartsMax(10_000)], [100_000, 1_000_000]);
  const sale = await openSale(stores);
  const k = keysOf(sale.id);
  const keys = [k.gate, k.sale, k.items, k.carts, k.codes, k.bought];
  const [a = '', b = ''] = sale.itemIds;
  const add = (...ops: string[]) =>
    redis.run(script('checkout'), keys, [fenceOf(sale.epoch), '2', ops.join(' ')]);
  assert.equal(
    await add(`ada ${a} c1`, `bob ${a} c2`, `cleo ${a} c3`, `ada ${b} c4`),
    '1 c1 1 1 c2 1 -8 - 0 1 c1 2',
  );
  assert.equal(await add(`cleo ${a} c5`, `bob ${b} c6`), '-8 - 0 1 c2 2');
  assert.deepEqual(await redis.command('HKEYS', k.carts), ['ada', 'bob']);
  assert.deepEqual(await redis.command('HKEYS', k.codes), ['c1', 'c2']);
});
