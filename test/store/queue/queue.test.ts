import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { createQueueDuty } from '../../../src/primary/duties/queues.ts';
import type { LiveSale, QueueSettings } from '../../../src/sale.ts';
import { createSaleQueue, type SaleQueue } from '../../../src/selling/sale-queue.ts';
import { auditSale } from '../../../src/store/audit/audit.ts';
import { queueKeysOf } from '../../../src/store/keys.ts';
import { createJoins } from '../../../src/store/queue/joins.ts';
import { advanceLine } from '../../../src/store/queue/line.ts';
import { readSaved } from '../../../src/store/queue/saved.ts';
import { retireSale } from '../../../src/store/retire.ts';
import { readLiveSales } from '../../../src/store/sales.ts';
import { addSale, openSale, openStores, type SaleOptions } from '../../support/stores.ts';

const stores = await openStores();
const { redis, postgres, sql } = stores;
const log = pino({ level: 'silent' });

/** A sale with a queue as a worker and the leader see it, and what both do. */
async function openQueue(settings: Partial<QueueSettings> = {}, options: SaleOptions = {}) {
  const queue = { admitPerSecond: 10, draws: true, ...settings };
  const { id } = await addSale(stores, { startsIn: 60_000, ...options, queue });
  let facts: LiveSale;
  let sheds = false;
  const refresh = async () => {
    facts = (await readLiveSales(postgres)).find((sale) => sale.id === id)!;
  };
  await refresh();
  const takeShed = () => sheds;
  const worker = () => createSaleQueue({ redis, postgres, sale: () => facts, takeShed });
  const line = worker();
  const lead = createQueueDuty({ redis, postgres, log, sales: () => [facts] });
  await lead();
  /** What a worker sees of the line Postgres has before. */
  const see = async () => {
    await line.look();
    await lead();
    await line.look();
  };
  return {
    id,
    line,
    see,
    worker,
    lead,
    refresh,
    facts: () => facts,
    shed: (value: boolean) => {
      sheds = value;
    },
    /** Lets the sale begin now, and the draw be made. */
    async begin() {
      await sql(
        `update sales set starts_at = now() - interval '1 s', version = version + 1 where id = $1`,
        id,
      );
      await refresh();
      await lead();
      await refresh();
      await see();
    },
    async change(columns: string) {
      await sql(`update sale_queues set ${columns} where sale_id = $1`, id);
      await sql('update sales set version = version + 1 where id = $1', id);
      await refresh();
      await see();
    },
    joinAll: (users: readonly string[]) =>
      Promise.all(users.map(async (user) => [user, await ticketOf(line, user)] as const)),
  };
}

async function ticketOf(line: SaleQueue, user: string): Promise<string> {
  const joined = await line.join(user);
  assert.ok('ticket' in joined, JSON.stringify(joined));
  return joined.ticket;
}

const usersOf = (count: number, name = 'user') => Array.from({ length: count }, (_, i) => `${name}-${i}`);
type Tickets = readonly (readonly [string, string])[];
const placesOf = (line: SaleQueue, tickets: Tickets) =>
  tickets.map(([user, ticket]) => line.turnOf(user, ticket)!.place);

test('a buyer who joins again gets the same ticket, and is counted once', async () => {
  const { line, worker, id } = await openQueue();
  const tickets = await Promise.all([
    ticketOf(line, 'ada'),
    ticketOf(line, 'ada'),
    ticketOf(worker(), 'ada'),
    ticketOf(line, 'bob'),
  ]);
  assert.equal(new Set(tickets).size, 2);
  assert.equal(await redis.command('HGET', queueKeysOf(id).queue, 'joined'), '2');
});

test('before the draw nobody has a place; after it everybody has one, and later comers stand behind in their order', async () => {
  const { line, begin, joinAll, see } = await openQueue();
  const early = await joinAll(usersOf(300));
  await see();
  assert.deepEqual(
    new Set(early.map(([user, ticket]) => line.turnOf(user, ticket)!.state)),
    new Set(['drawing']),
  );
  await begin();
  const places = placesOf(line, early);
  assert.ok(places.every((place) => place !== null && place >= 1 && place <= 300));
  const late: [string, string][] = [];
  for (const user of usersOf(20, 'late')) late.push([user, await ticketOf(line, user)]);
  assert.deepEqual(
    placesOf(line, late),
    late.map((_, i) => 301 + i),
  );
  assert.deepEqual(placesOf(line, await joinAll(usersOf(300))), places, 'who joins again has his place');
  assert.deepEqual(placesOf(line, await joinAll(usersOf(20, 'late'))), placesOf(line, late));
});

test('without a draw all stand in the order in which they came, those before the start too', async () => {
  const { line, begin } = await openQueue({ draws: false });
  const first: [string, string][] = [];
  for (const user of usersOf(10)) first.push([user, await ticketOf(line, user)]);
  await begin();
  first.push(['late', await ticketOf(line, 'late')]);
  assert.deepEqual(
    placesOf(line, first),
    first.map((_, i) => i + 1),
  );
});

test('nobody joins before the queue opens, or after the sale', async () => {
  const closed = await openQueue({ opensAtMs: Date.now() + 30_000 });
  assert.deepEqual(await closed.line.join('ada'), { refused: 'not-open' });
  const over = await openQueue({}, { startsIn: -60_000, endsIn: 500 });
  await over.line.look();
  await sleep(600);
  assert.deepEqual(await over.line.join('ada'), { refused: 'ended' });
});

test('the draw is made once: neither another one nor other joiners move a place', async () => {
  const { id, line, begin, joinAll, lead } = await openQueue();
  const early = await joinAll(usersOf(50));
  await begin();
  const places = placesOf(line, early);
  await redis.command('HSET', queueKeysOf(id).queue, 'joined', '5000');
  await lead();
  assert.deepEqual(await sql('select drawn from sale_queues where sale_id = $1', id), [{ drawn: 50 }]);
  await assert.rejects(
    sql('update sale_queues set drawn = 51 where sale_id = $1', id),
    /draw of .* was made/,
  );
  await assert.rejects(
    sql(`update sale_queues set seed = '\\x${'00'.repeat(32)}' where sale_id = $1`, id),
    /was made/,
  );
  assert.deepEqual(placesOf(line, early), places);
});

test('the line moves at the rate, never back, through every change of it, and stands still at 0', async () => {
  const { line, begin, joinAll, change, see } = await openQueue({ admitPerSecond: 200 });
  const early = await joinAll(usersOf(1_000));
  await begin();
  const seen: number[] = [];
  const admitted = () =>
    early.filter(([user, ticket]) => line.turnOf(user, ticket)!.state === 'admitted').length;
  const look = async (ms: number) => {
    await sleep(ms);
    await see();
    seen.push(line.state!.line);
    return line.state!.line;
  };
  await look(200);
  const before = admitted();
  assert.ok(before > 0 && before < 1_000, `${before} admitted`);
  for (const rate of [0, 50, 0, 1_000, 1]) {
    const at = line.state!.line;
    await change(`admit_per_second = ${rate}`);
    assert.ok(line.state!.line >= at, 'what passed since was at the rate of before');
    const from = line.state!.line;
    const to = await look(100);
    if (rate === 0) assert.equal(to, from);
    else assert.ok(to > from, `at ${rate} per second`);
  }
  assert.deepEqual(
    seen,
    [...seen].sort((a, b) => a - b),
  );
  assert.ok(admitted() >= before, 'who was admitted stays so');
});

test('two workers and the leader see one line; it does not run ahead of those who have joined', async () => {
  const { line, begin, joinAll, worker, lead, see } = await openQueue({ admitPerSecond: 100_000 });
  await joinAll(usersOf(10));
  await begin();
  const other = worker();
  for (let i = 0; i < 3; i++) {
    await sleep(20);
    await Promise.all([line.look(), other.look(), lead()]);
    await Promise.all([line.look(), other.look()]);
  }
  assert.deepEqual([line.state!.line, other.state!.line], [10, 10]);
  const [late] = await joinAll(['late']);
  assert.equal(line.turnOf(...late!)!.state, 'waiting', 'not before the line has moved');
  await sleep(20);
  await see();
  assert.equal(line.turnOf(...late!)!.state, 'admitted');
});

test('the line waits while checkouts are shed, and while the sale is paused', async () => {
  const { id, line, begin, joinAll, shed, refresh, see } = await openQueue({ admitPerSecond: 100 });
  await joinAll(usersOf(1_000));
  await begin();
  shed(true);
  await see();
  const held = line.state!;
  await sleep(100);
  await see();
  assert.deepEqual([line.state!.line, line.state!.held], [held.line, true]);
  shed(false);
  await sleep(1_100);
  await see();
  assert.ok(line.state!.line > held.line && !line.state!.held, 'a second later it goes on');
  await sql('update sales set paused = true, version = version + 1 where id = $1', id);
  await refresh();
  await see();
  const paused = line.state!.line;
  await sleep(100);
  await see();
  assert.equal(line.state!.line, paused);
});

test('what nobody moved for long is made up for a second at most: a Redis that was away admits no crowd', async () => {
  const { id, line, begin, joinAll, see } = await openQueue({ admitPerSecond: 100 });
  await joinAll(usersOf(1_000));
  await begin();
  // Redis may be ahead of what Postgres has, and is shown.
  const from = Number(await redis.command('HGET', queueKeysOf(id).queue, 'line'));
  await sleep(2_000);
  const beganMs = performance.now();
  await see();
  // Between the looks of the worker and of the leader it goes on.
  const most = 100 + (performance.now() - beganMs + 1) / 10;
  const moved = line.state!.line - from;
  assert.ok(moved > 0 && moved <= most, `${moved} places`);
});

test('a place is good for as long as a pass; then it is gone, and its buyer may queue anew, behind the others', async () => {
  const { id, line, begin, joinAll, see } = await openQueue({ admitPerSecond: 100_000, passSeconds: 10 });
  const early = await joinAll(usersOf(5));
  await begin();
  await sleep(20);
  await see();
  const { queue, past } = queueKeysOf(id);
  assert.equal(line.turnOf(...early[0]!)!.state, 'admitted');
  // Eleven seconds of the line's own clock.
  const clock = Number(await redis.command('HGET', queue, 'clock'));
  await redis.command('RPUSH', past, `${clock - 11_000} 5`);
  await see();
  for (const each of early) assert.equal(line.turnOf(...each)!.state, 'over');
  const [again] = await joinAll(['user-0']);
  assert.notEqual(again![1], early[0]![1]);
  assert.equal(line.turnOf(...again!)!.place, 6);
  assert.deepEqual(await joinAll(['user-0']), [again], 'once');
  assert.equal(await ticketOf(line, 'user-1'), await ticketOf(line, 'user-1'));
});

test('a Redis that comes back empty moves nobody: tickets, places and the line stay, and no number is given twice', async () => {
  const { id, line, worker, begin, joinAll, lead, see } = await openQueue({ admitPerSecond: 1_000 });
  const early = await joinAll(usersOf(200));
  await begin();
  const late = await joinAll(usersOf(30, 'late'));
  await sleep(50);
  await see();
  const before = {
    places: [...placesOf(line, early), ...placesOf(line, late)],
    line: (await readSaved(postgres, id))!.line,
  };
  assert.ok(before.line > 0);
  await redis.command('FLUSHALL');
  await assert.rejects(line.join('eve'), { name: 'Fenced' });
  assert.equal(
    await advanceLine(redis, (await readLiveSales(postgres)).find((sale) => sale.id === id)!, false),
    undefined,
  );
  await line.look();
  assert.deepEqual([...placesOf(line, early), ...placesOf(line, late)], before.places, 'without Redis');
  await lead();
  const fresh = worker();
  await fresh.look();
  assert.deepEqual([...placesOf(fresh, early), ...placesOf(fresh, late)], before.places);
  assert.ok(fresh.state!.line >= line.state!.line, 'whom any worker has admitted stays admitted');
  const [next] = await joinAll(['eve']);
  const place = line.turnOf(...next!)!.place!;
  assert.ok(place > 230 && place <= 200 + 30 + 1_000, `${place}: behind all that may have been given`);
});

test('an old copy of Redis gives no number again that it has forgotten', async () => {
  const { id, line, begin, joinAll, lead } = await openQueue();
  await begin();
  await joinAll(usersOf(10));
  const { queue, places } = queueKeysOf(id);
  const old = await redis.command('HGETALL', queue);
  const given = await joinAll(usersOf(40, 'next'));
  // What an old copy holds, in another Redis process.
  await redis.command(
    'HSET',
    queue,
    ...Object.entries(old as Record<string, string>).flat(),
    'dataset',
    `${'0'.repeat(40)}:${'1'.repeat(40)}`,
  );
  await redis.command('DEL', places);
  await assert.rejects(line.join('eve'), { name: 'Fenced' });
  await lead();
  const after = await joinAll(usersOf(40, 'after'));
  const numbers = new Set([...placesOf(line, given), ...placesOf(line, after)]);
  assert.equal(numbers.size, 80);
});

test('numbers are given beyond what is reserved at a time, each once, by two workers at once', async () => {
  const { line, worker, begin } = await openQueue();
  await begin();
  const other = worker();
  await other.look();
  const users = usersOf(3_000);
  const tickets = await Promise.all(
    users.map(async (user, i) => [user, await ticketOf(i % 2 ? line : other, user)] as const),
  );
  const places = placesOf(line, tickets).sort((a, b) => a! - b!);
  assert.deepEqual(
    places,
    users.map((_, i) => i + 1),
  );
});

test('with Postgres away the reserved numbers are given, and then nobody waits in vain', async () => {
  const { line, begin, id } = await openQueue();
  await begin();
  const away = Object.create(postgres, {
    query: { value: () => Promise.reject(new Error('away')) },
  });
  await ticketOf(line, 'ada');
  const facts = (await readLiveSales(postgres)).find((sale) => sale.id === id)!;
  const cut = createSaleQueue({ redis, postgres: away, sale: () => facts, takeShed: () => false });
  const outcomes = await Promise.allSettled(usersOf(1_500).map((user) => cut.join(user)));
  const given = outcomes.filter(({ status }) => status === 'fulfilled').length;
  assert.ok(given >= 512 && given < 1_000, `${given} of 1,000 reserved numbers`);
});

test('a full queue takes nobody more, and keeps whom it has', async () => {
  const { facts } = await openQueue();
  const joins = createJoins(redis, postgres, facts, 3);
  const op = (i: number) => ({ lot: `lot-${i}`, fraction: i / 10 });
  assert.deepEqual(await Promise.all([0, 1, 2, 3, 0].map((i) => joins.add(op(i)))), [0, 0, 0, 'full', 0]);
  assert.equal(await joins.add(op(4)), 'full');
  assert.equal(await joins.add(op(2)), 0);
});

test('a queue goes with its sale, and is not given back to Redis afterwards', async () => {
  const sale = await openSale(stores, { endsIn: 700, queue: { admitPerSecond: 1, draws: true } });
  const facts = (await readLiveSales(postgres)).find(({ id }) => id === sale.id)!;
  const lead = createQueueDuty({ redis, postgres, log, sales: () => [facts] });
  await lead();
  const line = createSaleQueue({ redis, postgres, sale: () => facts, takeShed: () => false });
  await ticketOf(line, 'ada');
  const left = () => redis.command('KEYS', `{${sale.id}}:*`) as Promise<string[]>;
  assert.ok((await left()).includes(queueKeysOf(sale.id).places));
  // Retiring goes by whole seconds.
  await sleep(1_800);
  const unwanted = { onContradiction: assert.fail, onSalvaged: () => {}, onDifferences: () => assert.fail() };
  assert.equal(await retireSale(redis, postgres, facts, { afterMs: 0, ...unwanted }), true);
  await Promise.all([lead(), line.look()]);
  assert.deepEqual(await left(), []);
});

test('the audit says when buyers go by what Postgres does not have; the leader mends what an older Postgres has lost', async () => {
  const sale = await openSale(stores, { queue: { admitPerSecond: 1_000, draws: true } });
  const facts = async () => (await readLiveSales(postgres)).find(({ id }) => id === sale.id)!;
  let now = await facts();
  const lead = createQueueDuty({ redis, postgres, log, sales: () => [now] });
  const line = createSaleQueue({ redis, postgres, sale: () => now, takeShed: () => false });
  await lead();
  now = await facts();
  await lead();
  for (const user of usersOf(20)) await ticketOf(line, user);
  for (let i = 0; i < 3; i++) {
    await sleep(30);
    await lead();
  }
  const problems = async () =>
    (await auditSale(redis, postgres, sale.id)).map(({ check, problem }) => `${check} ${problem}`);
  assert.deepEqual(await problems(), []);
  await sql('update sale_queues set line = 0, reserved = 0 where sale_id = $1', sale.id);
  assert.deepEqual(await problems(), ['queue has given 20 numbers, and 0 are reserved in Postgres']);
  await sql('update sale_queues set reserved = 20 where sale_id = $1', sale.id);
  assert.match((await problems()).join(), /^queue has admitted up to [\d.]+, and Postgres up to 0$/);
  await sql('update sale_queues set reserved = 0 where sale_id = $1', sale.id);
  await lead();
  assert.deepEqual(await problems(), []);
  await redis.command('HSET', queueKeysOf(sale.id).queue, 'drawn', '7');
  assert.deepEqual(await problems(), ['queue has drawn 7 in Redis and 0 in Postgres']);
});
