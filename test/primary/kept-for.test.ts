import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keptFor } from '../../src/primary/kept-for.ts';

test('who asks in time hears the same reading, whoever asks later another one', async () => {
  let reads = 0;
  const longer = keptFor(60_000, async () => ++reads);
  const [first, second] = await Promise.all([longer(), longer()]);
  assert.equal(first, second);
  assert.deepEqual([(await longer()).value, reads], [1, 1]);
  const never = keptFor(0, async () => ++reads);
  assert.deepEqual([(await never()).value, (await never()).value], [2, 3]);
  assert.ok(Math.abs(first.atMs - Date.now()) < 60_000);
});

test('a failure is not kept', async () => {
  let fails = true;
  const read = keptFor(60_000, async () => {
    if (fails) throw new Error('away');
    return 'there';
  });
  await assert.rejects(read(), /away/);
  fails = false;
  assert.equal((await read()).value, 'there');
});
