import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import pg from 'pg';
import { createCheckouts } from '../../src/store/checkouts.ts';
import { commitDecisions } from '../../src/store/commit.ts';
import { decideCodes } from '../../src/store/decide.ts';
import { mendFeed, pruneEvents, tellStages } from '../../src/store/feed/keep.ts';
import {
  FEED_START,
  type FeedEvent,
  type FeedPlace,
  placeOf,
  readEvents,
} from '../../src/store/feed/read.ts';
import { keysOf } from '../../src/store/keys.ts';
import { openPostgres, type Postgres } from '../../src/store/postgres.ts';
import { createPurchases } from '../../src/store/purchases.ts';
import { rebuildSale } from '../../src/store/rebuild.ts';
import { atEnd } from '../support/at-end.ts';
import { until } from '../support/processes.ts';
import { addSale, openSale, openStores, type TestSale } from '../support/stores.ts';

const stores = await openStores();
const { redis, sql, databaseUrl } = stores;
const postgres = await openPostgres({
  ...{ url: databaseUrl, connectionsMax: 8, patient: false, onError: () => {}, tells: true },
});
atEnd(postgres.close);

/** Connections whose transactions last as long as a test wants. */
const clients = await Promise.all(
  Array.from({ length: 5 }, async () => {
    const client = new pg.Client({ connectionString: databaseUrl });
    await client.connect();
    return client;
  }),
);
atEnd(async () => void (await Promise.all(clients.map((client) => client.end()))));

/** A fact of a test, in the transaction that is open on a connection. */
const tell = (client: pg.Client, saleId: string) =>
  client.query("insert into events (type, sale_id) values ('sale.paused', $1)", [saleId]);

/** Follows the feed from a place, in pages of a size. */
async function follow(from: FeedPlace, limit = 100): Promise<FeedEvent[]> {
  const seen: FeedEvent[] = [];
  for (let place = from; ; ) {
    const { events, isFull } = await readEvents(postgres, place, limit);
    assert.ok(events.length <= limit);
    seen.push(...events);
    if (!isFull) return seen;
    place = events.at(-1)!.place;
  }
}
const end = async (): Promise<FeedPlace> => (await follow(FEED_START)).at(-1)?.place ?? FEED_START;
const salesOf = (events: readonly FeedEvent[]) => events.map(({ saleId }) => saleId);

test('what a transaction that began earlier may still write is awaited, and nobody misses it', async () => {
  const from = await end();
  const [slow, fast] = clients as [pg.Client, pg.Client];
  await slow.query('begin');
  await tell(slow, 'first');
  await fast.query('begin');
  await tell(fast, 'second');
  await fast.query('commit');
  assert.deepEqual(salesOf(await follow(from)), [], 'the first may still commit');
  await slow.query('commit');
  assert.deepEqual(salesOf(await follow(from)), ['first', 'second']);
});

test('a transaction takes its turn when it first writes; one that is rolled back leaves no gap that blocks', async () => {
  const from = await end();
  const [slow, fast] = clients as [pg.Client, pg.Client];
  await slow.query('begin');
  // Its number in the sequence is the lower one, its turn the higher.
  await slow.query("select nextval('events_seq_seq')");
  await fast.query('begin');
  await tell(fast, 'later number, earlier turn');
  await tell(slow, 'gone');
  await slow.query('rollback');
  assert.deepEqual(salesOf(await follow(from)), []);
  await fast.query('commit');
  assert.deepEqual(salesOf(await follow(from)), ['later number, earlier turn']);
});

/** What happens on one of the connections, or the reader reads on. */
const step = fc.record({
  on: fc.nat(clients.length - 1),
  what: fc.constantFrom('tell', 'tell', 'commit', 'rollback', 'read'),
});

test('whatever the order in which transactions write and end, a reader hears each committed fact once, and nothing else', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 40 }),
      fc.integer({ min: 1, max: 5 }),
      async (steps, limit) => {
        let place = await end();
        const open = clients.map((): string[] => []);
        const committed: string[] = [];
        const seen: string[] = [];
        const read = async () => {
          for (;;) {
            const { events, isFull } = await readEvents(postgres, place, limit);
            seen.push(...salesOf(events));
            place = events.at(-1)?.place ?? place;
            if (!isFull) return;
          }
        };
        const finish = async (on: number, how: 'commit' | 'rollback') => {
          await clients[on]!.query(how);
          if (how === 'commit') committed.push(...open[on]!);
          open[on] = [];
        };
        for (const [n, { on, what }] of steps.entries()) {
          const facts = open[on]!;
          if (what === 'read') await read();
          else if (what === 'tell') {
            if (facts.length === 0) await clients[on]!.query('begin');
            facts.push(`fact-${n}`);
            await tell(clients[on]!, `fact-${n}`);
          } else if (facts.length > 0) await finish(on, what);
        }
        for (const [on, facts] of open.entries()) if (facts.length > 0) await finish(on, 'commit');
        await read();
        assert.deepEqual([...seen].sort(), [...committed].sort());
      },
    ),
    { numRuns: 120 },
  );
});

async function fill(sale: TestSale, userId: string, ...items: number[]): Promise<string> {
  const checkouts = createCheckouts(redis, () => sale);
  const added = await Promise.all(items.map((n) => checkouts.add({ userId, itemId: sale.itemIds[n]! })));
  return (added[0] as { code: string }).code;
}
const pay = (sale: TestSale, ...codes: string[]) => payVia(postgres, sale, ...codes);
/** Buys, and waits until nothing of it is under way. */
async function payVia(through: Postgres, sale: TestSale, ...codes: string[]): Promise<void> {
  const purchases = createPurchases({
    ...{ redis, postgres: through, sale: () => sale, onError: assert.ifError, forgetAfterMs: 0 },
  });
  await Promise.all(codes.map((code) => purchases.add(code)));
  await until('it is forgotten', async () => (await redis.command('XLEN', keysOf(sale.id).outbox)) === 0);
}
const buy = async (sale: TestSale, userId: string, ...items: number[]) =>
  pay(sale, await fill(sale, userId, ...items));

test('every purchase is told once, with what it bought, however its commit was batched; one that bought nothing is not', async () => {
  const from = await end();
  const sale = await openSale(stores, { items: 40 });
  const codes: string[] = [];
  for (let i = 0; i < 30; i++) codes.push(await fill(sale, `user-${i}`, i, i + 1));
  const late = await fill(sale, 'late', 3);
  await pay(sale, ...codes.slice(0, 10));
  await Promise.all(codes.map((code) => pay(sale, code)));
  await pay(sale, late);
  for (const limit of [1, 7, 100]) {
    const told = await follow(from, limit);
    const bought = told.flatMap(({ purchase }) => purchase!.decision);
    assert.deepEqual(bought.map(({ code }) => code).sort(), (await codesThatBought(sale)).sort());
    for (const { code } of bought) assert.ok(codes.includes(code));
    for (const { id, place, purchase } of told) {
      assert.deepEqual(await placeOf(postgres, id), place);
      assert.equal(purchase!.names.length, 2);
    }
  }
});

const codesThatBought = async (sale: TestSale) =>
  (await sql('select distinct code from purchases where sale_id = $1', sale.id)).map(({ code }) =>
    String(code),
  );

test('a commit that is repeated or fenced tells nothing', async () => {
  const from = await end();
  const sale = await addSale(stores);
  const decision = (n: number) => ({
    ...{ code: `CHK-${sale.id}-${String(n).repeat(32)}`, saleId: sale.id, userId: 'ada', decidedMs: 1_000 },
    lines: [`+${sale.itemIds[n]}`],
  });
  await commitDecisions(postgres, { id: sale.id, epoch: 0 }, [decision(0)]);
  await commitDecisions(postgres, { id: sale.id, epoch: 0 }, [decision(1), decision(0)]);
  await commitDecisions(postgres, { id: sale.id, epoch: 1 }, [decision(2)]);
  const told = await follow(from);
  assert.deepEqual(
    told.map(({ purchase }) => purchase!.decision.code),
    [decision(0).code, decision(1).code],
  );
  assert.equal(told[0]!.atMs, 1_000);
});

test('a sale opens, is sold out and ends once, whoever notices, and is sold out only when Postgres says so', async () => {
  const from = await end();
  const sale = await openSale(stores, { items: 2 });
  await addSale(stores, { startsIn: 60_000 });
  await Promise.all([1, 2, 3].map(() => tellStages(postgres, [sale.id])));
  await buy(sale, 'ada', 0, 1);
  for (let i = 0; i < 2; i++) await tellStages(postgres, [sale.id]);
  await sql(
    "update sales set ends_at = now() - interval '1 second', starts_at = now() - interval '1 hour' where id = $1",
    sale.id,
  );
  for (let i = 0; i < 2; i++) await tellStages(postgres, []);
  const told = (await follow(from)).filter(({ saleId }) => saleId === sale.id).map(({ type }) => type);
  assert.deepEqual(told, ['sale.opened', 'purchase.completed', 'sale.sold_out', 'sale.ended']);
});

test('a sale that was retired before anybody told its end still ends, and one that the feed never saw does not', async () => {
  const from = await end();
  const sale = await addSale(stores);
  await tellStages(postgres, []);
  const unseen = await addSale(stores);
  await sql(
    "update sales set retired = true, sold = 0, ends_at = now() - interval '1 second', starts_at = now() - interval '1 hour' where id = any($1)",
    [sale.id, unseen.id],
  );
  for (let i = 0; i < 2; i++) await tellStages(postgres, []);
  const told = (await follow(from)).filter(({ saleId }) => [sale.id, unseen.id].includes(saleId));
  assert.deepEqual(
    told.map(({ type, saleId }) => [type, saleId]),
    [
      ['sale.opened', sale.id],
      ['sale.ended', sale.id],
    ],
  );
});

test('events past keeping go, but for what a live sale has become and the newest; who names one that is gone hears so', async () => {
  const sale = await openSale(stores, { items: 2 });
  await tellStages(postgres, []);
  await buy(sale, 'ada', 0);
  const before = await follow(FEED_START);
  await sql("update events set at = at - interval '31 days'");
  await pruneEvents(postgres, 30);
  const after = await follow(FEED_START);
  const live = new Set((await sql('select id from sales where not retired')).map(({ id }) => id));
  const kept = before.filter(({ type, saleId }) => type.startsWith('sale.') && live.has(saleId));
  assert.deepEqual(salesOf(after), [...salesOf(kept), sale.id]);
  assert.equal(
    await placeOf(postgres, before.find(({ type }) => type === 'purchase.completed')!.id),
    undefined,
  );
  assert.notEqual(await placeOf(postgres, after.at(-1)!.id), undefined);
  const { id } = after.at(-1)!;
  assert.equal(
    await placeOf(
      postgres,
      id.replace(/\d$/, (digit) => String((Number(digit) + 1) % 10)),
    ),
    undefined,
    'another event',
  );
});

test('in a cluster that a dump was restored into, where transaction ids begin anew, the feed goes on behind what there was', async () => {
  const from = await end();
  const [client] = clients as [pg.Client];
  for (const name of ['old-1', 'old-2']) await tell(client, name);
  await sql('update events set turn = turn + 5000000 where sale_id like $1', 'old-%');
  assert.deepEqual(salesOf(await follow(from)), [], 'not handed out before it is mended');
  assert.equal(await mendFeed(postgres), true);
  assert.equal(await mendFeed(postgres), false);
  await tell(client, 'new');
  assert.deepEqual(salesOf(await follow(from)), ['old-1', 'old-2', 'new']);
});

test('where the feed is off, a purchase tells nothing', async () => {
  const from = await end();
  const sale = await openSale(stores, { items: 2 });
  const code = await fill(sale, 'ada', 0);
  await payVia(stores.postgres, sale, code);
  assert.equal((await codesThatBought(sale)).length, 1);
  assert.deepEqual(await follow(from), []);
});

test('what a dead worker had decided is told when a rebuild commits it, and once', async () => {
  const from = await end();
  const sale = await openSale(stores, { items: 3 });
  const code = await fill(sale, 'ada', 0, 1);
  await decideCodes(redis, sale, [code]);
  assert.deepEqual(await follow(from), [], 'decided, not committed');
  for (let i = 0; i < 2; i++) await rebuildSale(redis, postgres, sale.id, assert.fail);
  const told = await follow(from);
  assert.deepEqual(
    told.map(({ purchase }) => purchase?.decision.code),
    [code],
  );
});

test('a Postgres that has lost a purchase has lost its event too; what is committed again is told again', async () => {
  const from = await end();
  let sale = await openSale(stores, { items: 3 });
  const lost = await fill(sale, 'ada', 0);
  await pay(sale, lost);
  const [event] = await follow(from);
  for (const table of ['decisions', 'purchases', 'events'])
    await sql(`delete from ${table} where sale_id = $1`, sale.id);
  assert.equal(await placeOf(postgres, event!.id), undefined, 'who follows it hears that it is gone');
  sale = { ...sale, epoch: (await rebuildSale(redis, postgres, sale.id, assert.fail))!.epoch };
  const again = await follow(from);
  assert.deepEqual(
    again.map(({ purchase }) => purchase?.decision.code),
    [lost],
  );
  assert.notEqual(again[0]!.id, event!.id);
});
