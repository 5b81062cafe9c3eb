import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createShop, OutcomeUnknown, Refusal } from '../../client/index.ts';
import { atEnd } from '../support/at-end.ts';
import { signalAll, until } from '../support/processes.ts';
import { startService } from '../support/service.ts';
import { addShelf } from '../support/shop.ts';
import { connectStores } from '../support/stores.ts';

/** The client against a service whose workers are killed and whose stores fall silent. */
const service = await startService({ WORKERS: '2' });
const { http, url } = service;
const { sql } = await connectStores(service.redisUrl, service.databaseUrl);
const shopOf = (user: string) => createShop({ baseUrl: `${url}/`, user });
const { sale, items } = await addShelf(http, { total_items: 100, user_limit: 20 });
let taken = 0;
const nextItem = () => items[taken++] as string;

test('a buyer browses, fills a cart, buys it, and has the receipt for ever', async () => {
  const shop = shopOf('ada');
  assert.equal((await shop.activeSale())?.active, true);
  assert.equal((await shop.sale(sale)).user_limit, 20);
  const pages = [];
  for await (const page of shop.allItems({ sale, limit: 40 })) pages.push(page.map(({ id }) => id));
  assert.deepEqual(
    pages.map(({ length }) => length),
    [40, 40, 20],
  );
  assert.deepEqual(pages.flat(), items);
  const [first, second] = [nextItem(), nextItem()];
  const { code } = await shop.checkout(first, { sale });
  assert.equal((await shop.checkout(first, { sale })).code, code, 'a repeat changes nothing');
  assert.equal((await shop.checkout(second, { sale })).items_count, 2);
  assert.equal((await shop.checkout(second, { sale, quantity: 0 })).items_count, 1);
  assert.deepEqual(
    (await shop.cart(code)).items.map(({ id, available }) => [id, available]),
    [[first, true]],
  );
  assert.equal(await shop.receipt(code), undefined);
  const receipt = await shop.buy(code);
  assert.deepEqual([receipt.success, receipt.total_purchased], [true, 1]);
  assert.deepEqual(await shop.buy(code), receipt, 'the code has one outcome');
  assert.equal((await shop.receipt(code))?.total_purchased, 1);
  assert.ok(Math.abs(shop.now() - Date.now()) < 1_500, 'the same machine');
});

test('a cart whose items are sold to others has a receipt too', async () => {
  const item = nextItem();
  const lost = await shopOf('late').checkout(item, { sale });
  await shopOf('early').buy((await shopOf('early').checkout(item, { sale })).code);
  const receipt = await shopOf('late').buy(lost.code);
  assert.deepEqual([receipt.success, receipt.failed_count], [false, 1]);
  assert.deepEqual(
    receipt.purchased_items.map(({ sold }) => sold),
    [false],
  );
});

test('a buyer joins a queue, waits for the turn, and checks out with the ticket', async () => {
  const { sale: queued, items: shelf } = await addShelf(http, {
    total_items: 2,
    queue: { admit_per_second: 0 },
  });
  const shop = shopOf('ada');
  await assert.rejects(shop.checkout(shelf[0]!, { sale: queued }), { code: 'not_admitted' });
  const { ticket, admitted } = await shop.joinQueue(queued);
  assert.equal(admitted, false);
  assert.equal((await shop.joinQueue(queued)).ticket, ticket, 'a repeat has the same place');
  const seen: string[] = [];
  const turn = shop.waitForTurn(ticket, { onTurn: ({ state }) => seen.push(state) });
  await until('it waits', () => seen.includes('waiting'));
  const body = { queue: { admit_per_second: 10 } };
  assert.equal((await http.send('PATCH', `/admin/sales/${queued}`, { body })).status, 200);
  assert.equal((await turn).admitted, true);
  const { code } = await shop.checkout(shelf[0]!, { sale: queued, ticket });
  assert.equal((await shop.buy(code)).total_purchased, 1);
});

test('a refusal has the code of the contract, and is not tried again', async () => {
  let waits = 0;
  const checkout = shopOf('bob').checkout('nothing', { sale, onWait: () => waits++ });
  await assert.rejects(
    checkout,
    (error) => error instanceof Refusal && error.code === 'item_not_found' && error.status === 404,
  );
  await assert.rejects(shopOf('').checkout(nextItem(), { sale }), { code: 'validation_failed' });
  assert.equal(waits, 0);
});

test('workers are killed while thirty buyers buy: each has one receipt, and Postgres the same', async () => {
  const buyers = await Promise.all(
    Array.from({ length: 30 }, async (_, i) => {
      const shop = shopOf(`killed${i}`);
      return { shop, code: (await shop.checkout(nextItem(), { sale })).code };
    }),
  );
  const buying = buyers.map(({ shop, code }) => shop.buy(code));
  for (const pid of await service.workers()) process.kill(pid, 'SIGKILL');
  const receipts = await Promise.all(buying);
  assert.ok(receipts.every(({ total_purchased }) => total_purchased === 1));
  const codes = buyers.map(({ code }) => code);
  assert.equal((await sql('select 1 from purchases where code = any($1)', codes)).length, 30);
});

test('while Redis is silent a purchase waits as the service asks, and then has its outcome', async () => {
  const shop = shopOf('cleo');
  const { code } = await shop.checkout(nextItem(), { sale });
  const waits: [string, number][] = [];
  signalAll(service.server('redis'), 'SIGSTOP');
  const back = new Promise((resolve) => setTimeout(resolve, 2_500)).then(() =>
    signalAll(service.server('redis'), 'SIGCONT'),
  );
  const receipt = await shop.buy(code, { onWait: (why, ms) => waits.push([why.code, ms]) });
  await back;
  assert.equal(receipt.total_purchased, 1);
  assert.equal(waits[0]?.[0], 'outcome_unknown');
  assert.ok(
    waits.every(([, ms]) => ms >= 1_000 && ms <= 6_000),
    'never sooner than Retry-After',
  );
  assert.equal((await sql('select 1 from purchases where code = $1', code)).length, 1);
});

test('a call is left at once by its signal, also while it waits', async () => {
  const shop = shopOf('dora');
  const { code } = await shop.checkout(nextItem(), { sale });
  signalAll(service.server('redis'), 'SIGSTOP');
  try {
    const left = new AbortController();
    const buying = shop.buy(code, { signal: left.signal, onWait: () => left.abort(new Error('enough')) });
    await assert.rejects(buying, /enough/);
    await assert.rejects(shop.buy(code, { signal: AbortSignal.abort(new Error('before')) }), /before/);
    // Its patience ends while nobody can say what became of the code.
    await assert.rejects(
      shop.buy(code, { patienceMs: 500 }),
      (error) => error instanceof Refusal || error instanceof OutcomeUnknown,
    );
  } finally {
    signalAll(service.server('redis'), 'SIGCONT');
  }
  assert.equal((await shop.buy(code)).total_purchased, 1);
});

/** A gateway that answers the first requests itself, each in its way, and passes the others on. */
async function gateway(...answers: ((req: IncomingMessage, res: ServerResponse) => void)[]) {
  const seen: string[] = [];
  const server = createServer((req, res) => {
    seen.push(`${req.method} ${req.url} ${req.headers['idempotency-key'] ?? ''}`);
    const answer = answers.shift();
    if (answer) return answer(req, res);
    void http.send(req.method ?? '', req.url ?? '', { headers: { ...req.headers } }).then((reply) => {
      res.writeHead(reply.status, { 'Content-Type': reply.headers['content-type'] });
      res.end(reply.text);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { shop: createShop({ baseUrl: `http://127.0.0.1:${port}/`, user: 'eve' }), seen };
}

test('a reset, a page of the gateway and an answer that breaks off are tried again with the same code', async () => {
  const { code } = await shopOf('eve').checkout(nextItem(), { sale });
  const { shop, seen } = await gateway(
    (req) => req.socket.destroy(),
    (_, res) => res.writeHead(502, { 'Content-Type': 'text/html' }).end('<h1>Bad Gateway</h1>'),
    (_, res) => {
      res.writeHead(200, { 'Content-Length': '100' }).write('{"success":');
      setTimeout(() => res.destroy(), 50);
    },
  );
  const waits: string[] = [];
  const receipt = await shop.buy(code, { onWait: (why) => waits.push(why.code) });
  assert.equal(receipt.total_purchased, 1);
  assert.deepEqual(waits, ['network', 'unavailable', 'network']);
  assert.deepEqual(new Set(seen), new Set([`POST /purchase?code=${code} ${code}`]));
});

test('when every try may have decided it, the outcome is unknown; when none did, it is a refusal', async () => {
  const { code } = await shopOf('eve').checkout(nextItem(), { sale });
  const lost = await gateway((req) => req.socket.destroy());
  await assert.rejects(lost.shop.buy(code, { patienceMs: 0 }), (error) => {
    assert.ok(error instanceof OutcomeUnknown);
    assert.equal(error.code, code);
    return true;
  });
  // A token that expires between two tries says nothing of the first.
  const unproven = JSON.stringify({ code: 'buyer_unproven', message: 'The token has expired.' });
  const expired = await gateway(
    (req) => req.socket.destroy(),
    (_, res) => res.writeHead(401).end(unproven),
  );
  await assert.rejects(expired.shop.buy(code), (error) => error instanceof OutcomeUnknown);
  const never = await gateway((_, res) => res.writeHead(401).end(unproven));
  await assert.rejects(never.shop.buy(code), { name: 'Refusal', code: 'buyer_unproven' });
  const problem = JSON.stringify({ code: 'overloaded', message: 'Nothing happened.' });
  const refused = await gateway((_, res) => res.writeHead(503, { 'Retry-After': '1' }).end(problem));
  await assert.rejects(refused.shop.buy(code, { patienceMs: 500 }), { name: 'Refusal', code: 'overloaded' });
  assert.equal(refused.seen.length, 1, 'the wait would have been longer than its patience');
});

test('whoever leaves a stream in the middle of it leaves the connection', async () => {
  let closed = false;
  const { shop } = await gateway((_, res) => {
    res.on('close', () => {
      closed = true;
    });
    res.writeHead(200, { 'Content-Type': 'text/event-stream' }).write('data: {"items_sold":1}\n\n');
  });
  for await (const { items_sold } of shop.live(sale)) {
    assert.equal(items_sold, 1);
    break;
  }
  await until('the connection is closed', () => closed);
});

for (const name of ['client', 'quick-start'])
  test(`the example of docs/${name}.md runs as it is written`, async () => {
    const page = readFileSync(new URL(`../../../docs/${name}.md`, import.meta.url), 'utf8');
    const [, example = ''] = /```js\n([\s\S]*?)```/.exec(page) ?? [];
    assert.match(example, /flashsale\/client/);
    // What is left is told as it was a second ago, and the one before has bought the first.
    await sleep(1_100);
    const path = fileURLToPath(new URL(`${name}.mjs`, import.meta.url));
    writeFileSync(path, example.replace('http://127.0.0.1:8080', url));
    const { stdout } = await promisify(execFile)(process.execPath, [path]);
    assert.match(stdout, /^[A-Z].*: bought\n$/);
  });
