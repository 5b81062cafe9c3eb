import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTicker, type News } from '../../src/selling/ticker.ts';
import { createCheckouts } from '../../src/store/checkouts.ts';
import { keysOf } from '../../src/store/keys.ts';
import { createPurchases } from '../../src/store/purchases.ts';
import { openRedis } from '../../src/store/redis.ts';
import { atEnd } from '../support/at-end.ts';
import { until } from '../support/processes.ts';
import { openSale, openStores, type TestSale } from '../support/stores.ts';

const stores = await openStores();
const { postgres, redisUrl } = stores;
/** How many commands were sent; of this connection only, which tickers use. */
let commands = 0;
const redis = await openRedis({
  ...{ url: redisUrl, patient: false, onError: () => {} },
  onCommand: () => void commands++,
});
atEnd(() => redis.close());

async function buy(sale: TestSale, userId: string, itemId: string, quantity?: number): Promise<void> {
  const { code } = await createCheckouts(stores.redis, () => sale).add({ userId, itemId, quantity });
  const purchases = createPurchases({
    ...{ redis: stores.redis, postgres, sale: () => sale, onError: assert.ifError, forgetAfterMs: 0 },
  });
  assert.ok('decision' in (await purchases.add(code as string)));
}

/** What is held for payments, by sale. */
const held = new Map<string, number>();
/** A ticker of live sales, each with its facts, and whether its worker leaves. */
function tickerOf(...sales: TestSale[]) {
  const live = new Map(sales.map((sale) => [sale.id, sale]));
  const state = { leaving: false };
  atEnd(() => {
    state.leaving = true;
  });
  const ticker = createTicker({
    ...{ redis, factsOf: (id: string) => live.get(id), isLeaving: () => state.leaving },
    heldOf: async (id) => held.get(id) ?? 0,
  });
  return { ticker, live, state };
}

/** Follows a sale: what it was told so far, and whether the stream has ended. */
function follow(ticker: ReturnType<typeof createTicker>, sale: TestSale) {
  const heard: News[] = [];
  const stream = ticker.follow(sale)[Symbol.asyncIterator]();
  const seen = { heard, ended: false, leave: () => void stream.return?.() };
  void (async () => {
    for (let part = await stream.next(); !part.done; part = await stream.next())
      if (part.value.startsWith('data: ')) heard.push(JSON.parse(part.value.slice(6)));
    seen.ended = true;
  })();
  atEnd(seen.leave);
  return seen;
}
const count = (news: News | undefined) => [news?.items_sold, news?.items_left, news?.state];

test('a listener hears the counts first, then each change, whoever told it or not', async () => {
  const named = [
    { id: 'shirt', name: 'Shirt', stock: 10 },
    { id: 'poster', name: 'Poster' },
    { id: 'mug', name: 'Mug' },
  ];
  const sale = await openSale(stores, { items: 12, named, limit: 20 });
  await buy(sale, 'ada', 'mug');
  const { ticker, live } = tickerOf(sale);
  const first = follow(ticker, sale);
  await until('the counts', () => first.heard.length === 1);
  assert.deepEqual(first.heard, [
    { items_sold: 1, items_held: 0, items_left: 11, state: 'active', items: {} },
  ]);
  // An event of the sold channel names it; nobody names units of an item that has more.
  await buy(sale, 'bob', 'poster');
  ticker.heard(sale.id, ['poster']);
  await buy(sale, 'bob', 'shirt', 3);
  await until('both', () => first.heard.at(-1)?.items_left === 7);
  assert.deepEqual(Object.assign({}, ...first.heard.map(({ items }) => items)), { poster: 0, shirt: 7 });
  // Who comes a moment later hears what may not be on his page yet.
  const second = follow(ticker, sale);
  await until('the counts', () => second.heard.length === 1);
  assert.deepEqual(second.heard[0]?.items, { poster: 0, shirt: 7 });
  live.set(sale.id, { ...sale, paused: true });
  await until('paused', () => second.heard.at(-1)?.state === 'paused');
  live.set(sale.id, { ...sale, endsAtMs: Date.now() });
  await until('the end', () => first.ended && second.ended);
  assert.deepEqual(count(first.heard.at(-1)), [5, 7, 'ended']);
});

test('a sale that is not live any more has ended, or was cancelled before it began', async () => {
  const [over, never] = [await openSale(stores), await openSale(stores, { startsIn: 60_000 })];
  const { ticker, live } = tickerOf(over, never);
  const [one, other] = [follow(ticker, over), follow(ticker, never)];
  await until('both', () => one.heard.length === 1 && other.heard[0]?.state === 'scheduled');
  live.clear();
  await until('their ends', () => one.ended && other.ended);
  assert.deepEqual([one.heard.at(-1)?.state, other.heard.at(-1)?.state], ['ended', 'cancelled']);
});

test('fifty listeners cost Redis what one does, and hear the same', async () => {
  const sale = await openSale(stores, { items: 20 });
  const { ticker } = tickerOf(sale);
  const measure = async () => {
    const before = commands;
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    return commands - before;
  };
  const one = follow(ticker, sale);
  await until('the counts', () => one.heard.length === 1);
  const ofOne = await measure();
  const crowd = Array.from({ length: 50 }, () => follow(ticker, sale));
  await until('the counts', () => crowd.every(({ heard }) => heard.length === 1));
  const ofAll = await measure();
  // A tick more or less may fall into the time.
  assert.ok(ofOne > 0 && ofAll <= ofOne + 4, `${ofOne} and ${ofAll} commands`);
  await buy(sale, 'ada', sale.itemIds[3]!);
  await until('all heard of it', () => crowd.every(({ heard }) => heard.at(-1)?.items_left === 19));
  const told = crowd.map(({ heard }) => JSON.stringify(heard));
  assert.equal(new Set(told).size, 1);
  // Nobody listens: nobody asks.
  for (const each of [one, ...crowd]) each.leave();
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  await buy(sale, 'bob', sale.itemIds[4]!);
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  assert.equal(await measure(), 0);
});

test('a large change is told in parts, and the whole of it; a sold-out sale says so at once', async () => {
  const sale = await openSale(stores, { items: 1_300, limit: 100 });
  const { ticker } = tickerOf(sale);
  const one = follow(ticker, sale);
  await until('the counts', () => one.heard.length === 1);
  const some = sale.itemIds.slice(0, 1_200);
  const key = keysOf(sale.id);
  await stores.redis.command('HSET', key.items, ...some.flatMap((id) => [id, '0']));
  await stores.redis.command('HSET', key.sale, 'sold', '1200');
  ticker.heard(sale.id, some);
  await until('all of it', () => one.heard.flatMap(({ items }) => Object.keys(items)).length === 1_200);
  assert.ok(one.heard.every(({ items }) => Object.keys(items).length <= 500));
  await stores.redis.command('HSET', key.sale, 'sold', '1300');
  await until('sold out', () => one.heard.at(-1)?.items_left === 0);
});

test('a worker that leaves ends its streams', async () => {
  const sale = await openSale(stores);
  const { ticker, state } = tickerOf(sale);
  const one = follow(ticker, sale);
  await until('the counts', () => one.heard.length === 1);
  state.leaving = true;
  await until('the end', () => one.ended);
  assert.equal(one.heard.at(-1)?.state, 'active');
});

test('what is held for payments is told apart from what is sold', async () => {
  const sale = await openSale(stores, { items: 5, paymentSeconds: 60 });
  for (let n = 0; n < 3; n++) await buy(sale, `user-${n}`, sale.itemIds[n] as string);
  held.set(sale.id, 2);
  const { heard, leave } = follow(tickerOf(sale).ticker, sale);
  const [first] = await until('the counts', () => (heard.length > 0 ? heard : undefined));
  assert.deepEqual([first?.items_sold, first?.items_held, first?.items_left], [1, 2, 2]);
  leave();
});
