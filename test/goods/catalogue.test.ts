import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generateItems, nounOf } from '../../src/goods/catalogue.ts';

const SALE = 'S-3f9a1c22b7';

test('a sale of 10,000 has 10,000 ids and 10,000 names, none with a number', () => {
  const items = generateItems(SALE, 10_000);
  assert.equal(new Set(items.map((item) => item.id)).size, 10_000);
  assert.equal(new Set(items.map((item) => item.name)).size, 10_000);
  assert.ok(items.every((item) => /^[A-Z][a-z]+( [A-Z][a-z]+){2,4}$/.test(item.name)));
});

test('names stay unique and short when the words run out', () => {
  const items = generateItems('S-ffffffffff', 200_000);
  assert.equal(new Set(items.map((item) => item.name)).size, 200_000);
  assert.ok(items.every((item) => /^[A-Za-z]+( [A-Za-z]+)+( No\. \d+)?$/.test(item.name)));
  assert.ok(items.every((item) => item.name.length <= 40)); // and no number of a million items is longer
  assert.match(items.at(-1)!.name, / No\. \d+$/);
});

test('ids are short, in order, and within what the contract allows', () => {
  const items = generateItems(SALE, 2000);
  assert.ok(items.every((item) => /^[A-Za-z0-9._:-]{1,64}$/.test(item.id) && item.id.length === 15));
  assert.deepEqual(
    items.map((item) => item.id),
    items.map((item) => item.id).sort(),
  );
  assert.ok(items.every((item) => item.imageUrl === `/items/${item.id}/image.svg`));
});

test('two sales share no id and open with different goods', () => {
  const first = generateItems('S-0000000001', 10_000);
  const second = generateItems('S-0000000002', 10_000);
  const ids = new Set(first.map((item) => item.id));
  assert.ok(second.every((item) => !ids.has(item.id)));
  assert.notDeepEqual(
    first.slice(0, 5).map((item) => item.name),
    second.slice(0, 5).map((item) => item.name),
  );
});

test('neighbours differ in adjective and in noun, whatever the sale', () => {
  for (const sale of ['S-0000000000', 'S-ffffffffff', SALE]) {
    const items = generateItems(sale, 30_000);
    for (let i = 1; i < items.length; i++) {
      const [before, here] = [items[i - 1]!, items[i]!];
      assert.notEqual(before.name.split(' ')[0], here.name.split(' ')[0]);
      assert.notEqual(nounOf(before.id), nounOf(here.id));
    }
  }
});

test('the noun can be read from the id alone', () => {
  for (const { id, name } of generateItems(SALE, 1000)) assert.ok(name.endsWith(` ${nounOf(id)}`));
  for (const id of ['lamp', '3f9a1c22b7', '3f9a1c22b7-00a', '3F9A1C22B7-00a7', '']) {
    assert.equal(nounOf(id), undefined);
  }
});

test('the same sale always gets the same items', () => {
  const items = generateItems(SALE, 2000);
  assert.deepEqual(
    [0, 1, 1999].map((i) => [items[i]!.id, items[i]!.name]),
    [
      ['3f9a1c22b7-0000', 'Rustic Cotton Sketchbook'],
      ['3f9a1c22b7-0001', 'Elegant Suede Journal'],
      ['3f9a1c22b7-01jj', 'Coastal Bronze Teapot'],
    ],
  );
  assert.deepEqual(generateItems(SALE, 50), items.slice(0, 50));
  assert.deepEqual(generateItems(SALE, 0), []);
});

test('what is no sale, or no number of items, is refused', () => {
  for (const sale of ['3f9a1c22b7', 'S-3f9a', 'S-3f9a1c22bX']) {
    assert.throws(() => generateItems(sale, 1), RangeError);
  }
  for (const total of [-1, 1.5, Number.NaN, 1_000_001]) {
    assert.throws(() => generateItems(SALE, total), RangeError);
  }
});
