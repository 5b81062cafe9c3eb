import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBatches } from '../../perf/simulate/batches.ts';
import { createClock, createMachine } from '../../perf/simulate/clock.ts';
import { COSTS } from '../../perf/simulate/costs.ts';
import { type Setup, simulate } from '../../perf/simulate/model.ts';
import { drawDrop } from '../../perf/simulate/picture.ts';

test('what is planned happens in the order of time, and of one time in the order of planning', () => {
  const clock = createClock();
  const seen: string[] = [];
  for (const [us, name] of [
    [5, 'c'],
    [1, 'a'],
    [5, 'd'],
    [3, 'b'],
  ] as const)
    clock.after(us, () => {
      seen.push(`${name}${clock.nowUs}`);
      if (name === 'a') clock.after(1, () => void seen.push(`e${clock.nowUs}`));
    });
  clock.run();
  assert.deepEqual(seen, ['a1', 'e2', 'b3', 'c5', 'd5']);
});

test('threads share cores: a thread does its tasks one by one, and so many threads at a time as there are cores', () => {
  for (const [cores, expected] of [
    [1, [10, 20, 30]],
    [2, [10, 10, 20]],
  ] as const) {
    const clock = createClock();
    const machine = createMachine(clock, cores);
    const [one, two] = [machine.thread(), machine.thread()];
    const ends: number[] = [];
    for (const thread of [one, two, one]) thread.do(10, () => void ends.push(clock.nowUs));
    clock.run();
    assert.deepEqual(ends, expected);
    assert.deepEqual([one.busyUs, two.busyUs], [20, 10]);
  }
});

test('what comes while batches are under way is the next batch; too much is refused', () => {
  const sizes: number[] = [];
  let end = () => {};
  const batches = createBatches<number>({ batchMax: 3, underWayMax: 1, pendingMax: 6 }, (ops, done) => {
    sizes.push(ops.length);
    end = done;
  });
  const taken = Array.from({ length: 8 }, (_, n) => batches.add(n));
  assert.deepEqual(taken, [true, true, true, true, true, true, false, false]);
  for (let n = 0; n < 3; n++) end();
  assert.deepEqual(sizes, [1, 3, 2]);
  assert.ok(batches.add(9));
});

const setup: Setup = {
  ...{ boxes: 2, cores: 4, workers: 4, masters: 2, postgresCores: 4, sales: 2, items: 500 },
  shared: false,
};

test('every unit is sold once, every request answered, and the same drop twice is the same', () => {
  const crowd = { buyers: 8_000, seconds: 1, tries: 20 };
  const first = simulate(setup, crowd, COSTS);
  assert.equal(first.sold, 1_000);
  assert.ok(first.refused >= 7_000 && first.requests >= first.refused + 2_000);
  assert.ok(first.soldOutS <= first.endS && first.p50Ms <= first.p99Ms);
  assert.equal(
    first.curve.bought.reduce((sum, n) => sum + n),
    1_000,
  );
  const picture = drawDrop(setup, '8,000 buyers in 1 s', first);
  assert.match(picture, /^<svg .*8,000 buyers in 1 s, 2 × 500 units.*<\/svg>\n$/s);
  assert.doesNotMatch(picture, /NaN|undefined/);
  assert.deepEqual(simulate(setup, crowd, COSTS), first);
  assert.notDeepEqual(simulate(setup, crowd, COSTS, 2), first);
  const closed = simulate({ ...setup, boxes: 1, masters: 1, shared: true }, { connections: 20 }, COSTS);
  assert.deepEqual([closed.sold, closed.requests, closed.refused, closed.shed], [1_000, 2_000, 0, 0]);
});

test('the part that is made slow is the one that is full, and another master of Redis helps sales, not one sale', () => {
  const crowd = { buyers: 8_000, seconds: 1, tries: 1 };
  const slowRedis = { ...COSTS, redisCheckout: { callUs: 2_000, eachUs: 400 } };
  const slow = simulate(setup, crowd, slowRedis);
  assert.ok(slow.busy.redis > 0.5 && slow.busy.redis > slow.busy.workers, JSON.stringify(slow.busy));
  const time = (masters: number, sales: number) =>
    simulate({ ...setup, masters, sales, items: 1_000 / sales }, crowd, slowRedis).endS;
  assert.ok(time(2, 2) < time(1, 2) * 0.8);
  assert.equal(time(2, 1), time(1, 1));
});
