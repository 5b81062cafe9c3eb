import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import pg from 'pg';
import { mendFeed } from '../../../src/store/feed/keep.ts';
import { readEvents } from '../../../src/store/feed/read.ts';
import { atEnd } from '../../support/at-end.ts';
import { openFeed, salesOf } from '../../support/feed.ts';

const { postgres, sql, databaseUrl, follow, end } = await openFeed();

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
