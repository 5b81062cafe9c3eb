import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createBatcher } from '../../src/store/batcher.ts';
import { Overloaded } from '../../src/store/errors.ts';

/** A batcher whose batches are seen, and end when the test says so. */
function openBatcher(bounds: { batchMax?: number; inFlightMax?: number; pendingMax?: number } = {}) {
  const batches: number[][] = [];
  const endings: { resolve(): void; reject(error: Error): void }[] = [];
  const batcher = createBatcher<number, string>({
    run(ops) {
      batches.push([...ops]);
      return new Promise((resolve, reject) => {
        endings.push({ resolve: () => resolve(ops.map((op) => `result ${op}`)), reject });
      });
    },
    batchMax: 3,
    inFlightMax: 2,
    pendingMax: 100,
    ...bounds,
  });
  const addAll = (...ops: number[]) => ops.map((op) => batcher.add(op));
  return { batcher, batches, endings, addAll };
}

test('operations of one turn travel together, in their order, and each gets its own result', async () => {
  const { batches, endings, addAll } = openBatcher();
  const results = addAll(1, 2, 3);
  assert.deepEqual(batches, [], 'not before the turn is over');
  await nextTurn();
  assert.deepEqual(batches, [[1, 2, 3]]);
  endings[0]!.resolve();
  assert.deepEqual(await Promise.all(results), ['result 1', 'result 2', 'result 3']);
});

test('operations of different turns travel apart', async () => {
  const { batches, addAll } = openBatcher();
  addAll(1);
  await nextTurn();
  addAll(2);
  await nextTurn();
  assert.deepEqual(batches, [[1], [2]]);
});

test('no batch is larger than batchMax, and no more than inFlightMax are under way', async () => {
  const { batcher, batches, endings, addAll } = openBatcher();
  const results = addAll(1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
  await nextTurn();
  assert.deepEqual(batches, [
    [1, 2, 3],
    [4, 5, 6],
  ]);
  assert.equal(batcher.pending, 10);
  addAll(11);
  endings[1]!.resolve();
  await nextTurn();
  assert.deepEqual(batches[2], [7, 8, 9]);
  assert.equal(batches.length, 3);
  assert.equal(batcher.pending, 8);
  for (const i of [0, 2, 3]) {
    endings[i]!.resolve();
    await nextTurn();
  }
  assert.deepEqual(batches[3], [10, 11]);
  assert.deepEqual(
    await Promise.all(results),
    Array.from({ length: 10 }, (_, i) => `result ${i + 1}`),
  );
  assert.equal(batcher.pending, 0);
});

test('past pendingMax an operation is refused at once; there is room again when a batch is over', async () => {
  const { batcher, batches, endings, addAll } = openBatcher({ pendingMax: 4 });
  const results = addAll(1, 2, 3, 4);
  await assert.rejects(batcher.add(5), Overloaded);
  await nextTurn();
  await assert.rejects(batcher.add(6), Overloaded, 'under way counts as well');
  endings[0]!.resolve();
  await results[0];
  assert.equal(batcher.pending, 1);
  addAll(7);
  await nextTurn();
  assert.deepEqual(batches.flat(), [1, 2, 3, 4, 7]);
});

test('a batch that fails rejects its own operations, and the next ones go on', async () => {
  const { batcher, endings, addAll } = openBatcher({ inFlightMax: 1 });
  const results = addAll(1, 2, 3, 4);
  await nextTurn();
  const error = new Error('away');
  endings[0]!.reject(error);
  for (const result of results.slice(0, 3)) await assert.rejects(result, error);
  endings[1]!.resolve();
  assert.equal(await results[3], 'result 4');
  assert.equal(batcher.pending, 0);
});
