import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newCode } from '../../src/store/checkouts.ts';
import { commitDecisions } from '../../src/store/commit.ts';
import { decideCodes } from '../../src/store/decide.ts';
import { keysOf, SOLD_CHANNEL } from '../../src/store/keys.ts';
import { rebuildSale } from '../../src/store/rebuild.ts';
import { script } from '../../src/store/redis.ts';
import { formatReturn, giveBack, shelveReturns } from '../../src/store/returns.ts';
import { isSellable } from '../../src/store/sales.ts';
import { parseSoldEvent, type SoldEvent } from '../../src/store/sold.ts';
import { until } from '../support/processes.ts';
import { openSale } from '../support/stores.ts';
import {
  audit,
  boughtOf,
  buy,
  check,
  countsOf,
  fill,
  freeOf,
  leftOf,
  open,
  postgres,
  redis,
  returnsOf,
  sql,
  stores,
  take,
  takeAndShelve,
} from './returning.ts';

test('what came back can be bought by the next, and by the same buyer, up to the limit', async () => {
  const sale = await open(3);
  const ada = await buy(sale, 'ada', 'poster', ['shirt', 2]);
  assert.equal((await fill(sale, 'bob', 'poster')).outcome, 'item-sold');
  assert.equal((await fill(sale, 'ada', 'mug')).outcome, 'limit');
  assert.deepEqual(await takeAndShelve(sale, ada.code), [
    { number: 1, code: ada.code, lines: ['poster', 'shirt@8-9'] },
  ]);
  assert.equal(await boughtOf(sale, 'ada'), null);
  assert.deepEqual(await countsOf(sale), { returned: 1, sold: 0, gone: 0, free: 0, buyers: 0, changes: 2 });
  assert.deepEqual((await buy(sale, 'bob', 'poster')).lines, ['+poster']);
  assert.deepEqual((await buy(sale, 'ada', ['shirt', 3])).lines, ['+shirt@7-9']);
  assert.deepEqual(await freeOf(sale), []);
  await check(sale);
});

test('a part comes back, and then the rest; the same again changes nothing and says so', async () => {
  const sale = await open();
  const { code } = await buy(sale, 'ada', 'poster', ['shirt', 4], 'mug');
  const part = [{ code, lines: ['shirt@7,9'] }];
  assert.deepEqual((await take(sale, part)).returns, [{ number: 1, code, lines: ['shirt@7,9'] }]);
  assert.deepEqual((await take(sale, part)).returns, []);
  assert.deepEqual((await take(sale, [{ code, lines: ['shirt@6-7'] }])).returns, [
    { number: 2, code, lines: ['shirt@6'] },
  ]);
  assert.deepEqual((await take(sale, code)).returns, [
    { number: 3, code, lines: ['mug', 'poster', 'shirt@8'] },
  ]);
  assert.deepEqual(await take(sale, code), { epoch: 1, retired: false, returns: [], unknown: [] });
  assert.equal(await shelveReturns(redis, postgres, sale), true);
  const counts = await countsOf(sale);
  assert.equal(await shelveReturns(redis, postgres, sale, 1), true);
  assert.deepEqual(await countsOf(sale), counts, 'what was shelved is not shelved again');
  assert.equal(await leftOf(sale, 'shirt'), '10');
  await check(sale);
});

test('without restocking nobody gets the unit, and the buyer has room again', async () => {
  const sale = await open(3);
  const { code } = await buy(sale, 'ada', 'poster', ['shirt', 2]);
  await takeAndShelve(sale, [{ code, lines: ['poster', 'shirt@8'] }], {
    restock: false,
    reason: 'damaged\tin transit',
  });
  assert.equal(await leftOf(sale, 'poster'), '0');
  assert.equal((await fill(sale, 'bob', 'poster')).outcome, 'item-sold');
  assert.equal(await boughtOf(sale, 'ada'), '1');
  assert.deepEqual(await countsOf(sale), { returned: 1, sold: 3, gone: 1, free: 0, buyers: 1, changes: 1 });
  await takeAndShelve(sale, code);
  assert.deepEqual(await returnsOf(sale), [
    [1, code, 'poster shirt@8'],
    [2, code, 'shirt@9'],
  ]);
  const [first] = await sql('select reason, restocked from returns where code = $1 and number = 1', code);
  assert.deepEqual(first, { reason: 'damaged\tin transit', restocked: false });
  assert.deepEqual(await freeOf(sale), ['shirt@9']);
  await check(sale);
  await takeAndShelve(sale, code, { restock: true });
  assert.equal(await leftOf(sale, 'poster'), '0', 'what was withdrawn does not come back');
});

test('a code that holds something else, nothing, or was never decided, gives nothing back', async () => {
  const sale = await open();
  const [ada, bob] = [await buy(sale, 'ada', 'poster'), await buy(sale, 'bob', 'mug')];
  const unheard = newCode(sale.id);
  const given = await take(sale, [
    { code: ada.code, lines: ['mug', 'shirt@3-5', 'ghost'] },
    { code: unheard },
    { code: bob.code },
  ]);
  assert.deepEqual(given.returns, [{ number: 1, code: bob.code, lines: ['mug'] }]);
  assert.deepEqual(given.unknown, [unheard]);
  const again = await buy(sale, 'cid', ['shirt', 2]);
  assert.deepEqual((await take(sale, bob.code)).returns, []);
  assert.deepEqual(
    (await take(sale, [{ code: ada.code, lines: again.lines.map((l) => l.slice(1)) }])).returns,
    [],
  );
  assert.equal(await shelveReturns(redis, postgres, sale), true);
  await check(sale);
});

test('many codes come back in one statement and one script call; units between held ones are free, and the set empties again', async () => {
  const sale = await openSale(stores, {
    items: 1_000,
    limit: 10,
    named: [{ id: 'hot', name: 'Hot', stock: 1_000 }],
  });
  const codes: string[] = [];
  for (let i = 0; i < 250; i++) codes.push((await fill(sale, `u${i}`, 'hot', 4)).code as string);
  const { results } = await decideCodes(redis, sale, codes);
  await commitDecisions(
    postgres,
    sale,
    results.flatMap((result) => ('decision' in result ? [result.decision] : [])),
  );
  const odd = codes.filter((_, i) => i % 2 === 1);
  const returns = await takeAndShelve(
    sale,
    odd.map((code) => ({ code })),
    { kind: 'expired' },
  );
  assert.deepEqual(
    returns.map(({ number }) => number),
    odd.map((_, i) => i + 1),
  );
  assert.deepEqual(
    [await leftOf(sale, 'hot'), ((await freeOf(sale)) as string[]).length],
    ['500', 496],
    'the lowest four are below all that are held',
  );
  assert.equal((await fill(sale, 'late', 'hot', 10)).outcome, 'added');
  const even = codes.filter((_, i) => i % 2 === 0);
  await takeAndShelve(
    sale,
    even.map((code) => ({ code })),
  );
  assert.deepEqual([await leftOf(sale, 'hot'), await freeOf(sale)], ['1000', []]);
  assert.equal((await countsOf(sale)).sold, 0);
  assert.equal(await isSellable(redis, sale), true);
});

test('returns at once, also of one code, are numbered without a gap, and each unit comes back once', async () => {
  const sale = await open(50);
  const bought = await Promise.all(Array.from({ length: 10 }, (_, i) => buy(sale, `u${i}`, 'shirt')));
  const before = new Set<string>();
  const all = await Promise.all(
    [...bought, ...bought, ...bought].map(async ({ code }) => {
      const given = await take(sale, code);
      await shelveReturns(redis, postgres, sale, given.returns[0]?.number);
      return given.returns;
    }),
  );
  for (const { code } of all.flat()) {
    assert.ok(!before.has(code));
    before.add(code);
  }
  assert.deepEqual(
    (await returnsOf(sale)).map(([number]) => number),
    Array.from({ length: 10 }, (_, i) => i + 1),
  );
  assert.deepEqual(await freeOf(sale), []);
  await check(sale);
});

test('a return that only Postgres knows is carried to Redis by whoever comes next, in order', async () => {
  const sale = await open();
  const [ada, bob] = [await buy(sale, 'ada', 'poster'), await buy(sale, 'bob', 'mug')];
  // Its maker dies.
  await take(sale, ada.code);
  const [second] = await takeAndShelve(sale, bob.code);
  assert.equal(second?.number, 2);
  assert.deepEqual([await leftOf(sale, 'poster'), await leftOf(sale, 'mug')], ['1', '1']);
  await check(sale);
});

test('the script refuses a gap, another return under a number that it has, and a stranger', async () => {
  const sale = await open();
  const { code } = await buy(sale, 'ada', 'poster', 'mug');
  await takeAndShelve(sale, [{ code, lines: ['mug'] }]);
  const k = keysOf(sale.id);
  const keys = [k.gate, k.sale, k.items, k.bought, k.decisions, k.free, k.returns];
  const text = (lines: string, of = code) =>
    formatReturn({ number: 0, code: of, kind: 'released', restocked: true, returnedMs: 1, lines: [lines] });
  const shelve = (...args: string[]) =>
    redis.run(script('shelve'), keys, [`v1:${sale.epoch}`, SOLD_CHANNEL, sale.id, ...args]);
  const before = await countsOf(sale);
  assert.equal(await shelve('3', text('poster')), -2, 'a gap');
  assert.equal(await shelve('1', text('poster')), -2, 'another return');
  assert.equal(await shelve('2', text('poster', newCode(sale.id))), -2, 'a code that nobody decided');
  assert.equal(await shelve('2', text('ghost')), -2, 'an item that is none of the sale');
  assert.equal(await shelve('2', text('poster'), '4', text('poster')), -2, 'a gap behind one that fits');
  assert.equal(await redis.run(script('shelve'), keys, ['v1:9', SOLD_CHANNEL, sale.id]), -1);
  assert.deepEqual(await countsOf(sale), before, 'nothing has changed');
  assert.equal(await shelve('2', text('poster')), 2);
});

test('while a rebuild is under way nothing is taken back; between its facts and its gate, the return follows', async () => {
  const sale = await open();
  const [ada, bob] = [await buy(sale, 'ada', 'poster'), await buy(sale, 'bob', 'mug')];
  await take(sale, ada.code);
  const request = { saleId: sale.id, kind: 'cancelled', restock: true, codes: [{ code: bob.code }] } as const;
  const seen: unknown[] = [];
  const slow = {
    ...redis,
    get isUp() {
      return redis.isUp;
    },
    run: async (...args: Parameters<typeof redis.run>) => {
      const given = await giveBack(postgres, request);
      seen.push(args[0].name, given?.returns.length);
      if (given) assert.equal(await shelveReturns(redis, postgres, sale), false, 'the gate is shut');
      return redis.run(...args);
    },
  };
  const again = await rebuildSale(slow, postgres, sale.id, assert.fail);
  assert.deepEqual(seen.slice(0, 2), ['rebuild_begin', undefined]);
  assert.deepEqual(seen.slice(-2), ['rebuild_open', 1]);
  assert.equal(seen.filter((each) => each === 1).length, 1, 'only when Postgres has opened the epoch');
  const opened = { ...sale, epoch: again!.epoch };
  assert.deepEqual([await leftOf(opened, 'poster'), await leftOf(opened, 'mug')], ['1', '0']);
  assert.equal(await shelveReturns(redis, postgres, opened), true);
  assert.equal(await leftOf(opened, 'mug'), '1');
  await check(opened);
});

test('a decision that is committed late does not take back what was given back', async () => {
  const sale = await open();
  const { code, lines } = await buy(sale, 'ada', 'poster');
  await takeAndShelve(sale, code);
  const decision = { code, saleId: sale.id, userId: 'ada', decidedMs: 1, lines };
  assert.deepEqual((await commitDecisions(postgres, sale, [decision]))?.standing, [code]);
  assert.deepEqual(await sql('select from purchases where sale_id = $1', sale.id), []);
  assert.deepEqual((await buy(sale, 'bob', 'poster')).lines, ['+poster']);
  await check(sale);
});

test('of a retired sale only Postgres changes, and the count that it keeps', async () => {
  const sale = await open();
  const { code } = await buy(sale, 'ada', 'poster', ['shirt', 3]);
  await sql('update sales set retired = true, sold = 4 where id = $1', sale.id);
  await redis.command('DEL', ...Object.values(keysOf(sale.id)));
  const given = await take(sale, [{ code, lines: ['shirt@7-8'] }]);
  assert.deepEqual([given.retired, given.returns.length], [true, 1]);
  assert.equal(await shelveReturns(redis, postgres, sale, 1), false);
  const halves = [{ code, lines: ['poster'] }];
  await Promise.all([take(sale, halves, { restock: false }), take(sale, code)]);
  const [row] = await sql('select sold from sales where id = $1', sale.id);
  const [held] = await sql('select count(*)::int as n from purchases where sale_id = $1', sale.id);
  assert.equal(row!.sold, held!.n);
  assert.deepEqual(await audit(sale), []);
});

test('workers hear of items that came back, and how many are gone', async () => {
  const events: SoldEvent[] = [];
  const hear = (message: string) => void events.push(parseSoldEvent(message) as SoldEvent);
  await redis.subscribe(SOLD_CHANNEL, hear, () => {});
  const sale = await open();
  const ada = await buy(sale, 'ada', 'poster', 'mug', 'shirt');
  await takeAndShelve(sale, ada.code);
  await until('two events', async () => events.length === 2);
  const { epoch } = sale;
  assert.deepEqual(events, [
    { saleId: sale.id, epoch, version: 2, gone: 2, itemIds: ['poster', 'mug'], backIds: [] },
    { saleId: sale.id, epoch, version: 4, gone: 0, itemIds: [], backIds: ['mug', 'poster'] },
  ]);
});
