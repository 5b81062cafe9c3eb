/** What becomes of places when a store is emptied, older, or away. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createQueueDuty } from '../../../src/primary/duties/queues.ts';
import { createSaleQueue } from '../../../src/selling/sale-queue.ts';
import { auditSale } from '../../../src/store/audit/audit.ts';
import { queueKeysOf } from '../../../src/store/keys.ts';
import { createJoins } from '../../../src/store/queue/joins.ts';
import { advanceLine } from '../../../src/store/queue/line.ts';
import { readSaved } from '../../../src/store/queue/saved.ts';
import { retireSale } from '../../../src/store/retire.ts';
import { readLiveSales } from '../../../src/store/sales.ts';
import { openSale } from '../../support/stores.ts';
import { log, openQueue, placesOf, postgres, redis, sql, stores, ticketOf, usersOf } from './line.ts';

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
  await assert.rejects(async () => line.join('eve'), { name: 'Fenced' });
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
  await assert.rejects(async () => line.join('eve'), { name: 'Fenced' });
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
