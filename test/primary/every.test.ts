import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { every } from '../../src/primary/every.ts';

test('work that takes its time is aborted by stop, which is no error', async () => {
  const errors: unknown[] = [];
  let began = () => {};
  const underWay = new Promise<void>((resolve) => {
    began = resolve;
  });
  const repeated = every(
    1,
    async (signal) => {
      began();
      // Longer than any test may take: only the signal ends it. `sleep` has an AbortError of its own.
      await sleep(600_000, undefined, { signal });
    },
    (error) => errors.push(error),
  );
  await underWay;
  await repeated.stop();
  assert.deepEqual(errors, []);
});

test('what the work throws is reported, and it is run again', async () => {
  const errors: unknown[] = [];
  let runs = 0;
  await new Promise<void>((resolve) => {
    const repeated = every(
      1,
      async () => {
        runs++;
        if (runs === 2) return void repeated.stop().then(resolve);
        throw new Error('once');
      },
      (error) => errors.push(error),
    );
  });
  assert.deepEqual([runs, errors.map(String)], [2, ['Error: once']]);
});

test('between two runs lies at least half of the period, however long they take', async () => {
  const periodMs = 20;
  const gaps: number[] = [];
  let endedMs: number | undefined;
  await new Promise<void>((resolve) => {
    const repeated = every(
      periodMs,
      async () => {
        if (endedMs !== undefined) gaps.push(performance.now() - endedMs);
        if (gaps.length === 8) return void repeated.stop().then(resolve);
        // Ends at another point of the period each time.
        await sleep(gaps.length * 3);
        endedMs = performance.now();
      },
      (error) => assert.fail(String(error)),
    );
  });
  // Timers of node may come a millisecond early.
  assert.ok(
    gaps.every((gap) => gap >= periodMs / 2 - 1),
    gaps.join(),
  );
});
