import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createShedder } from '../../src/selling/shedding.ts';
import { Overloaded } from '../../src/store/errors.ts';

/** A batcher whose operations end when the test says so, on a clock that the test moves. */
function openShedder() {
  let nowMs = 1_000_000;
  const endings: (() => void)[] = [];
  const inner = {
    get pending() {
      return endings.length;
    },
    add: (op: number) => new Promise<number>((resolve) => endings.push(() => resolve(op))),
  };
  const limits = { targetMs: 100, patienceMs: 200 };
  const shed = createShedder({ checkout: limits, purchase: limits }, () => nowMs);
  const { add } = shed.checkouts<number, number>(inner);
  /** Whether an operation that comes now is let in. */
  const letsIn = async () => {
    const before = endings.length;
    const added = add(0);
    if (endings.length > before) return true;
    await assert.rejects(added, Overloaded);
    return false;
  };
  return {
    letsIn,
    buy: () => void shed.purchases<number, number>(inner).add(0),
    pass: (ms: number) => {
      nowMs += ms;
    },
    /** Ends everything that is under way. */
    async endAll() {
      for (const end of endings.splice(0)) end();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

test('what takes no longer than the target is never refused', async () => {
  const { letsIn, pass, endAll } = openShedder();
  for (let i = 0; i < 20; i++) {
    assert.equal(await letsIn(), true);
    pass(100);
    assert.equal(await letsIn(), true);
    await endAll();
  }
});

test('a burst is let in for as long as the patience lasts', async () => {
  const { letsIn, pass } = openShedder();
  await letsIn();
  pass(299);
  assert.equal(await letsIn(), true);
  pass(1);
  assert.equal(await letsIn(), false);
});

test('lateness adds up from probe to probe', async () => {
  const { letsIn, pass, endAll } = openShedder();
  const outcomes: boolean[] = [];
  for (let i = 0; i < 4; i++) {
    await letsIn();
    pass(150);
    outcomes.push(await letsIn());
    await endAll();
  }
  assert.deepEqual(outcomes, [true, false, false, false]);
});

test('while it refuses, one operation at a time finds out; once it is fast again all are let in', async () => {
  const { letsIn, pass, endAll } = openShedder();
  await letsIn();
  pass(400);
  assert.equal(await letsIn(), false);
  await endAll();
  assert.equal(await letsIn(), true, 'the probe');
  assert.equal(await letsIn(), false, 'but no other');
  pass(50);
  await endAll();
  assert.deepEqual([await letsIn(), await letsIn(), await letsIn()], [true, true, true]);
});

test('soon after an overload there is no new patience; later there is', async () => {
  const { letsIn, pass, endAll } = openShedder();
  const overload = async (ms: number) => {
    await letsIn();
    pass(ms);
    return !(await letsIn());
  };
  assert.equal(await overload(400), true);
  await endAll();
  await letsIn();
  await endAll();
  assert.equal(await overload(101), true);
  await endAll();
  await letsIn();
  await endAll();
  pass(2_000);
  assert.equal(await overload(101), false);
});

test('purchases that take too long keep checkouts out, are never refused, and are forgotten when none comes', async () => {
  const { letsIn, buy, pass, endAll } = openShedder();
  buy();
  pass(301);
  assert.equal(await letsIn(), false);
  buy();
  await endAll();
  assert.equal(await letsIn(), false, 'the last purchase was late');
  pass(101);
  assert.equal(await letsIn(), true);
});
