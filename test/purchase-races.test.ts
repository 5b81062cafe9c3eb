import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Http, Reply } from './support/http.ts';
import { openHttp } from './support/http.ts';
import { startService } from './support/service.ts';
import { addShelf, checkout, fillCart, purchase } from './support/shop.ts';
import { connectStores } from './support/stores.ts';

const service = await startService({ WORKERS: '3' });
const { sql } = await connectStores(service.redisUrl, service.databaseUrl);
const { http } = service;

/** Opens so many connections, more than a backlog holds at once, for the requests to come. */
async function connect(count: number): Promise<void> {
  for (let open = 100; open <= count; open += 100)
    await Promise.all(Array.from({ length: open }, () => http.get('/livez')));
}

/** How often each status and code was answered. */
function tally(replies: readonly Reply[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, body } of replies) {
    const key = status === 200 ? '200' : `${status} ${body.code}`;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}
const rowsOf = (code: string) =>
  sql('select item_id, user_id from purchases where code = $1 order by item_id', code);

test('1,000 concurrent posts of one code have one outcome and leave one set of rows', async () => {
  const { sale, items } = await addShelf(http, { total_items: 20 });
  const code = await fillCart(http, 'ada', items.slice(0, 10), sale);
  await connect(1_000);
  const replies = await Promise.all(Array.from({ length: 1_000 }, () => purchase(http, code)));
  assert.deepEqual(tally(replies), { '200': 1, '409 already_processed': 999 });
  const { body: receipt } = replies.find(({ status }) => status === 200)!;
  assert.equal(receipt.total_purchased, 10);
  for (const { status, body } of replies) if (status === 409) assert.deepEqual(body.receipt, receipt);
  assert.deepEqual(
    await rowsOf(code),
    items
      .slice(0, 10)
      .sort()
      .map((item_id) => ({ item_id, user_id: 'ada' })),
  );
  assert.equal((await sql('select 1 from decisions where code = $1', code)).length, 1);
  assert.equal((await http.get(`/sales/${sale}`)).body.items_sold, 10);
});

test('with an Idempotency-Key every one of many concurrent posts hears the same 200', async () => {
  const { sale, items } = await addShelf(http, { total_items: 2 });
  const code = await fillCart(http, 'ada', items, sale);
  const replies = await Promise.all(
    Array.from({ length: 100 }, () => purchase(http, code, { 'Idempotency-Key': 'k' })),
  );
  assert.deepEqual(new Set(replies.map(({ status, text }) => `${status} ${text}`)).size, 1);
  assert.equal(replies.filter(({ headers }) => headers['idempotent-replayed'] === undefined).length, 1);
});

test('200 users on one item have one winner', async () => {
  const { sale, items } = await addShelf(http, { total_items: 2 });
  const [item = ''] = items;
  const codes = await Promise.all(
    Array.from({ length: 200 }, (_, i) => fillCart(http, `user${i}`, [item], sale)),
  );
  assert.equal(new Set(codes).size, 200);
  const replies = await Promise.all(codes.map((code) => purchase(http, code)));
  assert.deepEqual(tally(replies), { '200': 1, '409 all_items_sold': 199 });
  const winner = replies.findIndex(({ status }) => status === 200);
  assert.deepEqual(await sql('select code, user_id from purchases where sale_id = $1', sale), [
    { code: codes[winner], user_id: `user${winner}` },
  ]);
  assert.equal((await sql('select 1 from decisions where sale_id = $1', sale)).length, 200);
});

test('a user never holds more than the limit, over several workers and carts at a time', async () => {
  const { sale, items } = await addShelf(http, { total_items: 60 });
  const clients = Array.from({ length: 4 }, () => openHttp(service.url));
  const tryAll = async (client: Http, mine: readonly string[]) => {
    for (const item of mine) {
      const reply = await checkout(client, 'greedy', item, sale);
      if (reply.status === 200) await purchase(client, reply.body.code);
    }
  };
  await Promise.all(
    clients.map((client, i) =>
      tryAll(
        client,
        items.filter((_, n) => n % 4 === i),
      ),
    ),
  );
  for (const client of clients) client.close();
  assert.equal((await sql(`select 1 from purchases where sale_id = $1`, sale)).length, 10);
  assert.equal((await checkout(http, 'greedy', items.at(-1)!, sale)).body.code, 'user_limit_reached');
});

test('60 checkouts of one user at once fill one cart up to the limit', async () => {
  const { sale, items } = await addShelf(http, { total_items: 60 });
  const replies = await Promise.all(items.map((item) => checkout(http, 'ada', item, sale)));
  assert.deepEqual(tally(replies), { '200': 10, '400 user_limit_reached': 50 });
  const codes = new Set(replies.filter(({ status }) => status === 200).map(({ body }) => body.code));
  assert.equal(codes.size, 1);
  assert.equal((await purchase(http, [...codes][0])).body.total_purchased, 10);
});

test('many users sell a sale out to the last item: each item once, nobody above the limit', async () => {
  const { sale, items } = await addShelf(http, { total_items: 150, user_limit: 4 });
  const confirmed: { user: string; item: string }[] = [];
  const shop = async (user: string) => {
    for (let n = 0; n < 400; n++) {
      const item = items[Math.floor(Math.random() * items.length)]!;
      const reply = await checkout(http, user, item, sale);
      if (['user_limit_reached', 'sale_sold_out'].includes(reply.body.code)) return;
      if (reply.status !== 200) continue;
      const bought = await purchase(http, reply.body.code);
      assert.ok([200, 409].includes(bought.status), bought.text);
      if (bought.status === 200) confirmed.push({ user, item });
    }
  };
  await Promise.all(Array.from({ length: 50 }, (_, i) => shop(`user${i}`)));
  // Whoever was unlucky with random items: the rest goes to those who come late.
  const { body: left } = await http.get(`/sales/${sale}/items?available=true&limit=1000`);
  for (const [i, { id }] of left.entries()) {
    const late = await purchase(http, await fillCart(http, `late${i}`, [id], sale));
    assert.equal(late.status, 200, 'every remaining item can be sold');
    confirmed.push({ user: `late${i}`, item: id });
  }
  assert.equal(confirmed.length, 150);
  assert.deepEqual(confirmed.map(({ item }) => item).sort(), [...items].sort());
  const rows = await sql(
    'select user_id as user, item_id as item from purchases where sale_id = $1 order by item_id',
    sale,
  );
  assert.deepEqual(
    rows,
    confirmed.sort((a, b) => (a.item < b.item ? -1 : 1)),
  );
  const [most] = await sql(
    'select max(n)::int as n from (select count(*) n from purchases where sale_id = $1 group by user_id) c',
    sale,
  );
  assert.ok(Number(most!.n) <= 4);
  const { body } = await http.get(`/sales/${sale}`);
  assert.deepEqual([body.items_sold, body.total_items], [150, 150]);
  assert.equal((await checkout(http, 'one-more', items[0]!, sale)).body.code, 'sale_sold_out');
});
