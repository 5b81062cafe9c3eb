import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSoldFilter } from '../../src/shard/sold-filter.ts';
import { generatedIds, numberedIds, shapelessIds } from './ids.ts';

for (const [name, idsOf] of Object.entries({ generatedIds, numberedIds, shapelessIds })) {
  test(`at sold-out the filter knows every sold item and takes at most 0.1 % of others for sold (${name})`, () => {
    const ids = idsOf(120_000);
    for (const total of [1000, 10_000, 20_000]) {
      const filter = createSoldFilter(total);
      const sold = ids.slice(0, total);
      for (const itemId of sold) filter.add(itemId);
      assert.ok(sold.every((itemId) => filter.has(itemId)));

      const others = ids.slice(total, total + 100_000);
      const mistaken = others.filter((itemId) => filter.has(itemId)).length;
      assert.ok(mistaken / others.length <= 0.0012, `${mistaken} of ${others.length}`); // 2 sigma of sampling
    }
  });
}

test('a filter that has heard nothing says no, also for a sale of no or one item', () => {
  for (const total of [0, 1, 2]) {
    const filter = createSoldFilter(total);
    assert.equal(filter.has('3f9a1c22b7-0000'), false);
    filter.add('3f9a1c22b7-0000');
    assert.equal(filter.has('3f9a1c22b7-0000'), true);
  }
});

test('filters do not share what they have heard', () => {
  const [one, other] = [createSoldFilter(100), createSoldFilter(100)];
  one.add('a');
  assert.equal(other.has('a'), false);
});
