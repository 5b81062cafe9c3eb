/** A pause holds when it is answered: on all workers of two boxes, under load, while one of them is killed. */
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { keysOf } from '../src/store/keys.ts';
import { openHttp } from './support/http.ts';
import { until } from './support/processes.ts';
import { freePort, startService } from './support/service.ts';
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
const ports = [await freePort(), await freePort()] as const;
const start = (port: number) => startService({ ...env, WORKER_PORT_BASE: String(port) });
const boxes = [await start(ports[0]), await start(ports[1])] as const;
const { sale, items } = await addShelf(boxes[0].http, { total_items: 10_000, user_limit: 100 });
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

/** Twenty carts of users who do not buy yet. */
const fillCarts = (name: string) =>
  Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      until('a cart', async () => {
        const reply = await checkout(
          boxes[0].http,
          `${name}-${i}`,
          items[Math.floor(Math.random() * items.length)]!,
        );
        return reply.status === 200 && (reply.body.code as string);
      }),
    ),
  );

/** Posts codes on connections of their own, half of them to each box, so that each worker gets some. */
const postAll = (codes: readonly string[]) =>
  Promise.all(
    codes.map(async (code, i) => {
      const http = openHttp(boxes[i % 2]!.url);
      try {
        return await purchase(http, code);
      } finally {
        http.close();
      }
    }),
  );

/** Asks each worker of both boxes for a cart, on its own port; one that was killed as soon as its successor serves. */
const askEach = () =>
  Promise.all(
    ports.flatMap((port) =>
      Array.from({ length: WORKERS }, (_, slot) =>
        until('an answer of the worker', async () => {
          const http = openHttp(`http://127.0.0.1:${port + slot}`);
          try {
            // Memory knows nothing of it, so that Redis is asked.
            return await checkout(http, 'eve', 'nothing', sale).catch(() => undefined);
          } finally {
            http.close();
          }
        }),
      ),
    ),
  );

const patch = (box: number, body: unknown) =>
  boxes[box]!.http.send('PATCH', `/admin/sales/${sale}`, { body });

afterEach(() => {
  stopped = true;
});

test('after "paused":true nothing is decided on any worker of any box, until it is resumed', async () => {
  const shopping = boxes.flatMap((_, box) =>
    Array.from({ length: CLIENTS_PER_BOX }, (_, i) => shop(box, `user-${box}-${i}`)),
  );
  const pauses: (readonly [fromMs: number, toMs: number])[] = [];
  for (let round = 0; round < 4; round++) {
    const before = bought.size;
    await until('purchases', () => bought.size > before + 20);
    // Codes that are good when the pause comes: shoppers spend theirs before it is answered.
    const kept = await fillCarts(`kept-${round}`);
    const paused = await patch(round % 2, { paused: true });
    assert.equal(paused.status, 200, paused.text);
    assert.deepEqual([paused.body.state, paused.body.paused, paused.body.active], ['paused', true, true]);
    const fromMs = await redisNow();
    const state = await decided();
    for (const reply of await postAll(kept))
      assert.deepEqual([reply.status, reply.body.code], [409, 'sale_paused'], reply.text);
    if (round === 1) process.kill((await boxes[0].workers())[0]!, 'SIGKILL');
    for (const reply of await askEach())
      assert.deepEqual([reply.status, reply.body.code], [409, 'sale_paused'], reply.text);
    await sleep(200);
    assert.deepEqual(await decided(), state, 'no cart, no decision');
    const toMs = await redisNow();
    pauses.push([fromMs, toMs]);
    const resumed = await patch((round + 1) % 2, { paused: false });
    assert.deepEqual([resumed.status, resumed.body.state], [200, 'active'], resumed.text);
    for (const reply of await postAll(kept))
      assert.match(String(reply.body.code ?? 'bought'), /^(bought|all_items_sold)$/, 'the codes stayed good');
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
