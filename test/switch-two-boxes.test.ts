/** A pause holds when it is answered: on all workers of two boxes, under load, while one of them is killed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { keysOf } from '../src/store/keys.ts';
import { openHttp } from './support/http.ts';
import { until } from './support/processes.ts';
import { startService } from './support/service.ts';
import { addShelf, checkout, purchase } from './support/shop.ts';
import { openStores } from './support/stores.ts';

const WORKERS = 2;
const CLIENTS_PER_BOX = 12;
const stores = await openStores();
const env = {
  DATABASE_URL: stores.databaseUrl,
  REDIS_URL: stores.redisUrl,
  HOURLY_SALES: 'off',
  EVENTS: 'on',
  WORKERS: String(WORKERS),
};
const boxes = [await startService(env), await startService(env)] as const;
const { sale, items } = await addShelf(boxes[0].http, { total_items: 1_000, user_limit: 100 });
const keys = keysOf(sale);
await until('both boxes sell', async () => (await boxes[1].http.get('/sales/active')).body.id === sale);

const redisNow = async () => {
  const [seconds, micros] = (await stores.redis.command('TIME')) as [string, string];
  return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
};
const decided = async () => {
  const [sold, carts, decisions] = (await stores.redis.command(
    'HMGET',
    keys.sale,
    'sold',
    'carts',
    'decisions',
  )) as string[];
  return { sold, carts, decisions, cartsKept: await stores.redis.command('HLEN', keys.carts) };
};

let stopped = false;
/** What was answered: by code and by the worker, which the request id begins with. */
const heard: { worker: string; code: string; atMs: number }[] = [];
const bought = new Set<string>();
let broken = 0;

/** Fills carts and buys them; after a pause it posts the code that it has again. A connection stays on one worker. */
async function shop(box: number, name: string): Promise<void> {
  const http = openHttp(boxes[box]!.url);
  let code: string | undefined;
  for (let i = 0; !stopped; i++) {
    const item = items[Math.floor(Math.random() * items.length)]!;
    try {
      const reply = code ? await purchase(http, code) : await checkout(http, `${name}-${i}`, item);
      const worker = String(reply.headers['x-request-id']).split('-')[0]!;
      heard.push({ worker, code: reply.body.code ?? 'bought', atMs: performance.now() });
      if (reply.status === 200 && code) bought.add(code);
      if (reply.body.code === 'sale_paused') {
        assert.equal(reply.status, 409);
        assert.equal(reply.headers['retry-after'], '1');
        await sleep(5);
      } else code = reply.status === 200 && !code ? reply.body.code : undefined;
    } catch (error) {
      // Only the worker that is killed may break a connection; its code is posted again.
      if (error instanceof assert.AssertionError) throw error;
      broken++;
    }
  }
  http.close();
}

const patch = (box: number, body: unknown) =>
  boxes[box]!.http.send('PATCH', `/admin/sales/${sale}`, { body });

test('after "paused":true nothing is decided on any worker of any box, until it is resumed', async () => {
  const shopping = boxes.flatMap((_, box) =>
    Array.from({ length: CLIENTS_PER_BOX }, (_, i) => shop(box, `user-${box}-${i}`)),
  );
  const pauses: (readonly [fromMs: number, toMs: number])[] = [];
  for (let round = 0; round < 4; round++) {
    const before = bought.size;
    await until('purchases', () => bought.size > before + 20);
    const paused = await patch(round % 2, { paused: true });
    assert.equal(paused.status, 200, paused.text);
    assert.deepEqual([paused.body.state, paused.body.paused, paused.body.active], ['paused', true, true]);
    const fromMs = await redisNow();
    const state = await decided();
    const answeredMs = performance.now();
    if (round === 1) process.kill((await boxes[0].workers())[0]!, 'SIGKILL');
    // Requests that were sent after the answer, on every worker that there is.
    await until('every worker to refuse', () => {
      const refusing = heard.filter(({ code, atMs }) => atMs > answeredMs && code === 'sale_paused');
      return new Set(refusing.map(({ worker }) => worker)).size >= 2 * WORKERS - (round === 1 ? 1 : 0);
    });
    await sleep(200);
    assert.deepEqual(await decided(), state, 'no cart, no decision');
    const toMs = await redisNow();
    pauses.push([fromMs, toMs]);
    const resumed = await patch((round + 1) % 2, { paused: false });
    assert.deepEqual([resumed.status, resumed.body.state], [200, 'active'], resumed.text);
  }
  const before = bought.size;
  await until('purchases go on', () => bought.size > before + 20);
  stopped = true;
  await Promise.all(shopping);
  for (const [fromMs, toMs] of pauses) {
    const within = await stores.sql(
      'select code from decisions where sale_id = $1 and decided_at > $2 and decided_at < $3',
      sale,
      new Date(fromMs),
      new Date(toMs),
    );
    assert.deepEqual(within, [], 'no decision is dated within a pause');
  }
  const committed = new Set(
    (await stores.sql('select code from decisions where sale_id = $1', sale)).map(({ code }) => code),
  );
  for (const code of bought) assert.ok(committed.has(code), `${code} was answered and is committed`);
  assert.ok(broken < 200, `${broken} connections broke`);
});

test('the feed tells of each pause and of each end of one, in their order', async () => {
  const told = await stores.sql(
    `select type from events where sale_id = $1 and type in ('sale.paused', 'sale.resumed') order by turn, seq`,
    sale,
  );
  assert.deepEqual(
    told.map(({ type }) => type),
    Array.from({ length: 4 }, () => ['sale.paused', 'sale.resumed']).flat(),
  );
});
