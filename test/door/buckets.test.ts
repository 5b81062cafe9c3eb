import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBuckets } from '../../src/door/buckets.ts';

const RATE = { perSecond: 5, burst: 10 };
type Buckets = ReturnType<typeof createBuckets>;

/** How many of so many requests at that time pass. */
const passed = (buckets: Buckets, key: string, times: number, atMs: number) =>
  Array.from({ length: times }, () => buckets.take(key, atMs)).filter((wait) => wait === 0).length;

test('a rested key may burst, and then has its rate', () => {
  const buckets = createBuckets(RATE, false);
  assert.equal(passed(buckets, 'ada', 50, 0), 10);
  assert.equal(passed(buckets, 'ada', 50, 1_000), 5);
  assert.equal(passed(buckets, 'ada', 50, 1_100), 0);
  assert.equal(passed(buckets, 'ada', 50, 61_000), 10);
  assert.equal(passed(buckets, 'bob', 50, 0), 10);
});

test('the wait is told, and after it the next request passes', () => {
  const buckets = createBuckets({ perSecond: 0.5, burst: 1 }, false);
  assert.equal(buckets.take('ada', 0), 0);
  assert.equal(buckets.take('ada', 500), 1.5);
  assert.equal(buckets.take('ada', 2_000), 0);
});

test('a clock that steps back gives nothing away', () => {
  const buckets = createBuckets(RATE, false);
  assert.equal(passed(buckets, 'ada', 50, 10_000), 10);
  assert.equal(passed(buckets, 'ada', 50, 9_000), 0);
  assert.equal(passed(buckets, 'ada', 50, 10_200), 1);
});

test('a million keys push each other out, and do not push out a key that goes on asking', () => {
  const buckets = createBuckets({ perSecond: 0.01, burst: 10 }, false);
  assert.equal(passed(buckets, 'bot', 50, 0), 10);
  for (let i = 0; i < 1_000_000; i++) {
    buckets.take(`10.${i}`, 0);
    if (i % 10_000 === 0) assert.ok(buckets.take('bot', 0) > 0, `after ${i}`);
  }
  // One that had rested was forgotten: the bound is there.
  assert.equal(passed(buckets, '10.0', 50, 0), 10);
});

/** Workers that tell each other, as the primary lets them. */
function share(workers: readonly Buckets[], atMs: number): void {
  const reports = workers.map((worker) => worker.report());
  for (const [from, report] of reports.entries())
    for (const [to, worker] of workers.entries()) if (to !== from) worker.debit(report, atMs);
}

test('one who floods four workers for a minute has his rate and four bursts, no more', () => {
  const workers = Array.from({ length: 4 }, () => createBuckets(RATE, true));
  let sum = 0;
  for (let ms = 0; ms < 60_000; ms += 50) {
    for (const worker of workers) sum += passed(worker, 'bot', 20, ms);
    if (ms % 250 === 0) share(workers, ms);
  }
  const owed = 5 * 60 + 10;
  assert.ok(sum >= owed - 10 && sum <= owed + 3 * 10, `${sum} passed, ${owed} are his`);
});

test('one who stays with one of four workers has his whole rate there', () => {
  const workers = Array.from({ length: 4 }, () => createBuckets(RATE, true));
  let sum = 0;
  for (let ms = 0; ms < 60_000; ms += 50) {
    sum += passed(workers[0]!, 'ada', 2, ms);
    if (ms % 250 === 0) share(workers, ms);
  }
  assert.ok(sum >= 5 * 59 + 10 && sum <= 5 * 60 + 10, `${sum} passed`);
});

test('a report names those who took most, however many took little', () => {
  const buckets = createBuckets({ perSecond: 100, burst: 100 }, true);
  for (let i = 0; i < 5_000; i++) buckets.take(`few${i}`, 0);
  for (let i = 0; i < 100; i++) passed(buckets, `heavy${i}`, 20, 0);
  passed(buckets, 'heaviest', 90, 0);
  const report = new Map(buckets.report());
  assert.equal(report.size <= 256, true);
  assert.equal(report.get('heaviest'), 90);
  for (let i = 0; i < 100; i++) assert.equal(report.get(`heavy${i}`), 20);
  assert.deepEqual(buckets.report(), []);
});
