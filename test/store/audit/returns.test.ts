import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditSale } from '../../../src/store/audit/audit.ts';
import { createCheckouts } from '../../../src/store/checkouts.ts';
import { keysOf } from '../../../src/store/keys.ts';
import { createPurchases } from '../../../src/store/purchases.ts';
import { giveBack, shelveReturns } from '../../../src/store/returns.ts';
import { openSale, openStores, type TestSale } from '../../support/stores.ts';

const stores = await openStores();
const { redis, postgres, sql } = stores;
const fail = (error: unknown) => assert.fail(String(error));

const NAMED = [
  { id: 'shirt', name: 'Shirt', stock: 40 },
  { id: 'poster', name: 'Poster' },
];
/** The differences as lines "check subject problem", without codes. */
const lines = async (saleId: string) =>
  (await auditSale(redis, postgres, saleId)).map(
    ({ check, subject, problem }) =>
      `${check} ${subject.replace(/CHK-\S+/, 'code')} ${problem.replaceAll(/CHK-[\w-]+/g, 'code')}`,
  );

/** A sale, and what buys and gives back in it. */
async function openBooks() {
  const sale = await openSale(stores, { items: 41, limit: 100, named: NAMED });
  const checkouts = createCheckouts(redis, () => sale);
  const purchases = createPurchases({ redis, postgres, sale: () => sale, onError: fail, forgetAfterMs: 0 });
  const buy = async (userId: string, itemId: string, quantity = 1) => {
    const { outcome, code } = await checkouts.add({ userId, itemId, quantity });
    if (outcome !== 'added') return undefined;
    await purchases.add(code);
    return code;
  };
  const take = async (code: string, lines?: string[], restock = true) => {
    const codes = [{ code, ...(lines && { lines }) }];
    const given = await giveBack(postgres, { saleId: sale.id, kind: 'cancelled', restock, codes });
    assert.equal(await shelveReturns(redis, postgres, sale, given?.returns[0]?.number), true);
  };
  return { sale, buy, take };
}

test('while units are bought and given back, also of one item by all, the books show no difference', async () => {
  const { sale, buy, take } = await openBooks();
  let [taken, audits] = [0, 0];
  const isEnough = () => taken > 100 && audits > 4;
  const shopping = Array.from({ length: 8 }, async (_, n) => {
    for (let i = 0; !isEnough(); i++) {
      const code = await buy(`u${n}`, i % 3 === 0 ? 'poster' : 'shirt', i % 3 === 0 ? 1 : 1 + (i % 4));
      if (code === undefined) continue;
      await take(code);
      taken++;
    }
  });
  while (!isEnough()) {
    assert.deepEqual(await lines(sale.id), []);
    audits++;
  }
  await Promise.all(shopping);
  assert.deepEqual(await lines(sale.id), []);
});

/** A sale in which ada has bought four shirts and the poster, and has given the poster and a shirt back, one more without restocking. */
async function openReturned() {
  const books = await openBooks();
  const [shirts, poster] = [(await books.buy('ada', 'shirt', 4))!, (await books.buy('ada', 'poster'))!];
  await books.take(shirts, ['shirt@39']);
  await books.take(shirts, ['shirt@38'], false);
  await books.take(poster);
  assert.deepEqual(await lines(books.sale.id), []);
  return { ...books, shirts, poster };
}
const redisHas = (sale: TestSale, ...words: string[]) =>
  redis.command(words[0]!, keysOf(sale.id).returns, ...words.slice(1));

test("what came back while its entry still lies in the outbox, and is another buyer's by now, is no difference", async () => {
  const { sale, buy, take } = await openBooks();
  const left: string[] = [];
  for (const [user, item, quantity] of [
    ['ada', 'shirt', 4],
    ['bob', 'poster', 1],
  ] as const) {
    const code = (await buy(user, item, quantity))!;
    const text = String(await redis.command('HGET', keysOf(sale.id).decisions, code));
    // As a worker leaves it that dies between its commit and the deletion of the entry.
    await redis.command('XADD', keysOf(sale.id).outbox, '*', 'epoch', '1', code, text);
    await take(code);
    left.push((await buy('eve', item, quantity))!);
  }
  assert.equal(left.length, 2);
  assert.deepEqual(await lines(sale.id), []);
});

test('a return that one store lacks, or has otherwise, is named', async () => {
  const { sale, poster } = await openReturned();
  const text = String(await redisHas(sale, 'HGET', '3'));
  const wrong = text.replace('poster', 'shirt@1');
  await redisHas(sale, 'HSET', '3', wrong);
  assert.deepEqual(await lines(sale.id), [
    `returns 3 is "${wrong}" in Redis and "${text}" in Postgres`.replaceAll(poster, 'code'),
  ]);
  await redisHas(sale, 'HDEL', '3');
  assert.deepEqual(await lines(sale.id), ['returns 3 is noted in Postgres, and Redis does not know it']);
  await redisHas(sale, 'HSET', '3', text, '4', text);
  assert.deepEqual(await lines(sale.id), [
    `returns 4 came back in Redis as "${text.replace(poster, 'code')}", but Postgres has not noted it`,
  ]);
});

test('a unit that is neither held, withdrawn nor given back, or more than one of these, is named', async () => {
  const { sale, shirts, poster } = await openReturned();
  const sentence = (item: string) =>
    `decisions code is committed, but purchases and returns do not add up to what it bought: ${item}`;
  const broken = async (item: string, change: string, mend: string) => {
    await sql(change, sale.id);
    const found = await lines(sale.id);
    assert.ok(found.includes(sentence(item)), `${change}: ${found.join('; ')}`);
    await sql(mend, sale.id);
    assert.deepEqual(await lines(sale.id), [], mend);
  };
  const held = (unit: number) => `sale_id = $1 and item_id = 'shirt' and unit = ${unit}`;
  await broken(
    'shirt',
    `update purchases set withdrawn = false where ${held(38)}`,
    `update purchases set withdrawn = true where ${held(38)}`,
  );
  await broken(
    'shirt',
    `update purchases set withdrawn = true where ${held(37)}`,
    `update purchases set withdrawn = false where ${held(37)}`,
  );
  const row = (item: string, unit: number, code: string) =>
    `insert into purchases (sale_id, item_id, unit, stock, code, user_id, purchased_at) values ($1, '${item}', ${unit}, 40, '${code}', 'ada', now())`;
  await broken('shirt', `delete from purchases where ${held(36)}`, row('shirt', 36, shirts));
  await broken(
    'poster',
    row('poster', 0, poster),
    `delete from purchases where sale_id = $1 and item_id = 'poster'`,
  );
  await broken(
    'shirt',
    `update returns set lines = 'shirt@36' where sale_id = $1 and number = 1`,
    `update returns set lines = 'shirt@39' where sale_id = $1 and number = 1`,
  );
});

test('a return of what its code has not bought, of no code, and a missing number are named', async () => {
  const { sale, shirts } = await openReturned();
  await sql(`update returns set lines = 'shirt@39 poster' where sale_id = $1 and number = 1`, sale.id);
  assert.ok((await lines(sale.id)).includes('returns 1 gives back what code has not bought: poster'));
  await sql(
    `update returns set lines = 'shirt@39', code = $2 where sale_id = $1 and number = 1`,
    sale.id,
    `${shirts.slice(0, -2)}zz`,
  );
  assert.ok((await lines(sale.id)).includes('returns 1 is of code, which was never decided'));
  await sql('delete from returns where sale_id = $1 and number = 2', sale.id);
  assert.ok(
    (await lines(sale.id)).includes(`sale ${sale.id} has 2 returns, and the last of them is number 3`),
  );
});

test('the books of a retired sale are audited with its returns', async () => {
  const { sale } = await openReturned();
  await sql('update sales set retired = true, sold = 3 where id = $1', sale.id);
  assert.deepEqual(await lines(sale.id), []);
  await sql('delete from returns where sale_id = $1 and number = 2', sale.id);
  const found = await lines(sale.id);
  assert.ok(
    found.some((line) => line.includes('do not add up')) &&
      found.some((line) => line.includes('has 2 returns')),
  );
});
