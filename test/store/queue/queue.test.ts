import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { queueKeysOf } from '../../../src/store/keys.ts';
import { openQueue, placesOf, redis, sql, ticketOf, usersOf } from './line.ts';

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

test('asked again, a worker tells from memory what it has told, as long as Redis would tell the same', async () => {
  const { line, worker, id } = await openQueue();
  const other = worker();
  const ticket = await ticketOf(line, 'ada');
  assert.deepEqual(line.join('ada'), { ticket, turn: line.turnOf('ada', ticket) }, 'without a promise');
  assert.ok(other.join('ada') instanceof Promise, 'another worker asks Redis');
  assert.ok(line.join('bob') instanceof Promise);
  await redis.command('DEL', queueKeysOf(id).places);
  assert.equal(await ticketOf(line, 'ada'), ticket);
});

test('what a worker remembers neither opens a queue that is shut nor outlasts the sale', async () => {
  const { line, change, refresh, id } = await openQueue();
  const ticket = await ticketOf(line, 'ada');
  await change(`opens_at = now() + interval '30 s'`);
  await redis.command('HSET', queueKeysOf(id).queue, 'opens', String(Date.now() + 30_000));
  assert.deepEqual(await line.join('ada'), { refused: 'not-open' });
  await change('opens_at = null');
  assert.deepEqual(line.join('ada'), { ticket, turn: line.turnOf('ada', ticket) });
  await sql(
    `update sales set starts_at = now() - interval '2 s', ends_at = now() - interval '1 s' where id = $1`,
    id,
  );
  await refresh();
  assert.ok(line.join('ada') instanceof Promise, 'Redis is asked');
});

test('before the draw nobody has a place; after it everybody has one, and later comers stand behind in their order', async () => {
  const { line, worker, begin, joinAll, see } = await openQueue();
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
  const other = worker();
  for (const each of [line, other]) {
    assert.deepEqual(
      placesOf(line, await joinAll(usersOf(300), each)),
      places,
      'who joins again has his place',
    );
    assert.deepEqual(placesOf(line, await joinAll(usersOf(20, 'late'), each)), placesOf(line, late));
  }
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
