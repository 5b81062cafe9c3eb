import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCheckouts } from '../../src/store/checkouts.ts';
import { commitDecisions } from '../../src/store/commit.ts';
import { decideCodes } from '../../src/store/decide.ts';
import { Fenced, Unavailable } from '../../src/store/errors.ts';
import { keysOf } from '../../src/store/keys.ts';
import { sweepOutbox } from '../../src/store/outbox.ts';
import { createPurchases } from '../../src/store/purchases.ts';
import { until } from '../support/processes.ts';
import { foreignGateOf, loadingGateOf, openSale, openStores, type TestSale } from '../support/stores.ts';

const stores = await openStores();
const { redis, postgres, sql } = stores;
const sweep = (sale: TestSale, minAgeMs = 0) => sweepOutbox(redis, postgres, sale, minAgeMs, assert.fail);
const waiting = (sale: TestSale) => redis.command('XLEN', keysOf(sale.id).outbox);

const cart = async (sale: TestSale, userId: string, itemId: string) =>
  (await createCheckouts(redis, () => sale).add({ userId, itemId })).code;
/** Decides purchases in Redis as a worker does that dies before its commit. */
async function decideAndDie(sale: TestSale, ...users: string[]): Promise<string[]> {
  const codes: string[] = [];
  for (const [i, user] of users.entries()) {
    const code = await cart(sale, user, sale.itemIds[i]!);
    await decideCodes(redis, sale, [code]);
    codes.push(code);
  }
  return codes;
}
const committed = async (sale: TestSale) =>
  (await sql(
    'select user_id, code from purchases where sale_id = $1 order by user_id',
    sale.id,
  )) as unknown[];

test('decisions whose worker has died are committed and forgotten, once they are old enough', async () => {
  const sale = await openSale(stores);
  const codes = await decideAndDie(sale, 'ada', 'bob');
  assert.equal(await sweep(sale, 60_000), 0);
  assert.deepEqual(await committed(sale), []);
  assert.equal(await until('their age', () => sweep(sale)), 2);
  assert.deepEqual(await committed(sale), [
    { user_id: 'ada', code: codes[0] },
    { user_id: 'bob', code: codes[1] },
  ]);
  assert.equal(await waiting(sale), 0);
  assert.equal(await sweep(sale), 0);
});

test('a decision that its worker had committed is only forgotten', async () => {
  const sale = await openSale(stores);
  const code = await cart(sale, 'ada', sale.itemIds[0]!);
  const { results } = await decideCodes(redis, sale, [code]);
  await commitDecisions(
    postgres,
    sale,
    results.flatMap((r) => ('decision' in r ? [r.decision] : [])),
  );
  await until('the sweep', async () => (await sweep(sale)) === 1);
  assert.equal((await committed(sale)).length, 1);
  assert.equal(await waiting(sale), 0);
});

test('more entries than one read takes are swept in one go', async () => {
  const sale = await openSale(stores, { items: 50 });
  await decideAndDie(sale, ...sale.itemIds.map((_, i) => `u${i}`));
  await until('all', async () => {
    await sweep(sale);
    return (await waiting(sale)) === 0;
  });
  assert.equal((await committed(sale)).length, 50);
});

test('nothing is swept while the gate is shut, or is of another Redis', async () => {
  const sale = await openSale(stores);
  await decideAndDie(sale, 'ada');
  const { gate } = keysOf(sale.id);
  for (const shut of [await loadingGateOf(redis, sale.epoch), foreignGateOf(sale.epoch)]) {
    await redis.command('SET', gate, shut);
    assert.equal(await sweep(sale), 0);
  }
  await redis.command('DEL', gate);
  assert.equal(await sweep(sale), 0);
  assert.deepEqual([await committed(sale), await waiting(sale)], [[], 1]);
});

test('nothing is swept under an epoch that is over in Postgres', async () => {
  const sale = await openSale(stores);
  await decideAndDie(sale, 'ada');
  await sql('update sales set epoch = epoch + 1 where id = $1', sale.id);
  await until('it is old enough to be read', async () => {
    assert.equal(await sweep(sale), 0);
    const [newest] = (await redis.command('XREVRANGE', keysOf(sale.id).outbox, '+', '-', 'COUNT', '1')) as [
      [string],
    ];
    return Date.now() > Number(newest[0].split('-')[0]) + 5;
  });
  assert.deepEqual([await committed(sale), await waiting(sale)], [[], 1]);
});

test('an entry that contradicts Postgres is reported and stays; the others are committed', async () => {
  const sale = await openSale(stores);
  const stolen = sale.itemIds[1]!;
  const holder = { code: `CHK-${sale.id}-${'f'.repeat(32)}`, saleId: sale.id, userId: 'eve', decidedMs: 1 };
  await commitDecisions(postgres, sale, [{ ...holder, lines: [`+${stolen}`] }]);
  const codes = await decideAndDie(sale, 'ada', 'bob', 'cleo');
  const refused: string[] = [];
  await until('the sweep', async () => {
    await sweepOutbox(redis, postgres, sale, 0, ({ code }) => void refused.push(code));
    return (await waiting(sale)) === 1;
  });
  assert.deepEqual(new Set(refused), new Set([codes[1]]));
  assert.match(String(await redis.command('GET', keysOf(sale.id).gate)), /^doubted:v1:/);
  assert.deepEqual((await committed(sale)).length, 3);
});

test('a purchase is answered after its commit, and then forgotten', async () => {
  const sale = await openSale(stores);
  const purchases = createPurchases({ redis, postgres, sale: () => sale, onError: assert.ifError });
  const code = await cart(sale, 'ada', sale.itemIds[0]!);
  const results = await Promise.all([code, code, 'CHK-nonsense', code].map((each) => purchases.add(each)));
  const outcomes = results.map(({ outcome }) => outcome);
  assert.deepEqual(outcomes, ['decided', 'decided-before', 'no-code', 'decided-before']);
  assert.equal((await committed(sale)).length, 1);
  await until('it is forgotten', async () => (await waiting(sale)) === 0);
});

/** The purchases of a sale, and the errors that they report. */
function purchasesOf(sale: TestSale) {
  const errors: unknown[] = [];
  const onError = (error: unknown) => void errors.push(error);
  return { purchases: createPurchases({ redis, postgres, sale: () => sale, onError }), errors };
}

test('a purchase that cannot be committed is unknown, stays in the outbox, and resolves when posted again', async () => {
  const sale = await openSale(stores);
  const { purchases, errors } = purchasesOf(sale);
  const code = await cart(sale, 'ada', sale.itemIds[0]!);
  await sql('alter table decisions rename to decisions_away');
  assert.equal((await purchases.add(code)).outcome, 'unknown');
  assert.equal(errors.length, 1);
  assert.equal(await waiting(sale), 1);
  const other = await cart(sale, 'bob', sale.itemIds[1]!);
  await assert.rejects(purchases.add(other), Unavailable, 'for a while nothing more is decided');
  assert.equal(await redis.command('HEXISTS', keysOf(sale.id).decisions, other), 0);
  await sql('alter table decisions_away rename to decisions');
  const resolved = await until('purchases go on', () => purchases.add(code));
  assert.equal(resolved.outcome, 'decided-before');
  assert.equal((await committed(sale)).length, 1);
});

test('a purchase whose epoch is over in Postgres is unknown, and not committed', async () => {
  const sale = await openSale(stores);
  const { purchases, errors } = purchasesOf(sale);
  const code = await cart(sale, 'ada', sale.itemIds[0]!);
  await sql('update sales set epoch = epoch + 1 where id = $1', sale.id);
  assert.equal((await purchases.add(code)).outcome, 'unknown');
  assert.deepEqual([await committed(sale), await waiting(sale)], [[], 1]);
  assert.deepEqual(
    errors.map((error) => error instanceof Fenced),
    [true],
  );
});
