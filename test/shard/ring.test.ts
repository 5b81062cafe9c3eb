import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hashText } from '../../src/shard/hash.ts';
import { PLACES, placeOf } from '../../src/shard/place.ts';
import { createRing, type Ring } from '../../src/shard/ring.ts';
import { generatedIds, numberedIds, range, shapelessIds } from './ids.ts';

/** How far the fullest and the emptiest slot are from an equal share: 0.1 is 10 %. */
function worstDeviation(counts: Iterable<number>, slots: number, total: number): number {
  let worst = 0;
  for (const count of counts) worst = Math.max(worst, Math.abs((count * slots) / total - 1));
  return worst;
}

function itemsPerSlot(ring: Ring, itemIds: readonly string[]): number[] {
  const counts = ring.slots.map(() => 0);
  for (const itemId of itemIds) counts[ring.slots.indexOf(ring.ownerOf(itemId))]! += 1;
  return counts;
}

function placesPerSlot(ring: Ring): number[] {
  const counts = ring.slots.map(() => 0);
  const arcs = ring.arcs();
  arcs.forEach(([place, slot], i) => {
    counts[ring.slots.indexOf(slot)]! += (arcs[i + 1]?.[0] ?? PLACES) - place;
  });
  return counts;
}

test('the hash gives the same numbers in every release', () => {
  assert.equal(hashText('', 0), 2872998923);
  assert.equal(hashText('', 1), 2388540327);
  assert.equal(hashText('a', 0), 444641715);
  assert.equal(hashText('3f9a1c22b7-00a7', 0), 688443833);
  assert.equal(hashText('3f9a1c22b7-00a7', 1), 1567344182);
  assert.equal(hashText('sku-00417', 0), 380819580);
  assert.equal(hashText('sku-00417', 0, 3), hashText('sku', 0));
});

test('100,000 similar ids have about as many equal hashes as chance allows', () => {
  const hashes = new Set(generatedIds(100_000).map((itemId) => hashText(itemId, 7)));
  assert.ok(100_000 - hashes.size < 8, `${100_000 - hashes.size} collisions; 1.2 are expected`);
});

test('items have the same owners in every release', () => {
  const rings = [[0], [0, 1], [0, 1, 2], range(4), range(8), range(64), [0, 2, 3]].map(createRing);
  const vectors: readonly (readonly [string, number, ...number[]])[] = [
    ['3f9a1c22b7-0000', 0, 0, 0, 0, 0, 0, 0, 0],
    ['3f9a1c22b7-0001', 40503, 0, 1, 1, 3, 5, 44, 3],
    ['3f9a1c22b7-00a7', 53639, 0, 0, 0, 0, 0, 9, 0],
    ['3f9a1c22b7-07pr', 47306, 0, 1, 1, 1, 1, 52, 3],
    ['ffffffffff-zzzz', 10137, 0, 0, 2, 3, 3, 15, 3],
    ['sku-00417', 2115, 0, 1, 1, 1, 1, 1, 3],
    ['item-1', 47855, 0, 1, 1, 1, 5, 40, 3],
    ['1', 18805, 0, 1, 1, 1, 6, 9, 2],
    ['lamp.rustic', 7828, 0, 1, 2, 3, 3, 48, 3],
    ['550e8400-e29b-41d4-a716-446655440000', 46738, 0, 0, 0, 3, 6, 44, 3],
    ['999999999999', 59842, 0, 1, 1, 1, 7, 34, 0],
  ];
  for (const [itemId, place, ...owners] of vectors) {
    assert.equal(placeOf(itemId), place, itemId);
    assert.deepEqual(
      rings.map((ring) => ring.ownerOf(itemId)),
      owners,
      itemId,
    );
  }
});

test('every id has a place on the ring, whatever it looks like', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (itemId) => {
      const place = placeOf(itemId);
      assert.ok(Number.isInteger(place) && place >= 0 && place < PLACES);
    }),
  );
});

test('the order in which slots are named does not matter', () => {
  assert.deepEqual(createRing([3, 0, 2, 0]).arcs(), createRing([0, 2, 3]).arcs());
});

test('a ring without slots has no owners, and slots past 63 are refused', () => {
  assert.equal(createRing([]).ownerOf('x'), -1);
  assert.throws(() => createRing([64]), RangeError);
  assert.throws(() => createRing([0.5]), RangeError);
});

test('with 1 to 64 slots, the shares of the ring are equal to 0.1 %, and 10,000 items spread within ±10 %', () => {
  const populations = [generatedIds(10_000), generatedIds(10_000, '0000000000'), numberedIds(10_000)];
  for (let slots = 1; slots <= 64; slots++) {
    const ring = createRing(range(slots));
    assert.ok(worstDeviation(placesPerSlot(ring), slots, PLACES) <= 0.001);
    for (const itemIds of populations) {
      const deviation = worstDeviation(itemsPerSlot(ring, itemIds), slots, itemIds.length);
      assert.ok(deviation <= 0.1, `${slots} slots, ${itemIds[1]}: ${deviation}`);
    }
  }
});

test('ids without a number spread as evenly as chance allows', () => {
  const itemIds = shapelessIds(10_000);
  for (const slots of [2, 8, 64]) {
    const deviation = worstDeviation(itemsPerSlot(createRing(range(slots)), itemIds), slots, itemIds.length);
    const standardDeviation = Math.sqrt(slots / itemIds.length);
    assert.ok(deviation <= 4 * standardDeviation, `${slots} slots: ${deviation}`);
  }
});

test('only the items of a slot that leaves or returns change hands', () => {
  const itemIds = [...generatedIds(2000), ...shapelessIds(2000)];
  const someSlots = fc.uniqueArray(fc.integer({ min: 0, max: 63 }), { minLength: 2, maxLength: 64 });
  fc.assert(
    fc.property(someSlots, ([leaver, ...others]) => {
      const whole = createRing([leaver!, ...others]);
      const rest = createRing(others);
      for (const itemId of itemIds) {
        const owner = whole.ownerOf(itemId);
        if (owner !== leaver) assert.equal(rest.ownerOf(itemId), owner);
        else assert.ok(others.includes(rest.ownerOf(itemId)));
      }
      assert.equal(whole.hasGrown(leaver!, rest), true);
      for (const other of others) assert.equal(whole.hasGrown(other, rest), false);
    }),
    { numRuns: 30 },
  );
});

test('what a leaving slot owned falls to many others, none of which gets a third more', () => {
  for (const slots of [3, 4, 8, 16]) {
    for (const leaver of range(slots)) {
      const shares = placesPerSlot(createRing(range(slots).filter((slot) => slot !== leaver)));
      const most = (Math.max(...shares) * (slots - 1)) / PLACES;
      assert.ok(most < 1.33, `slot ${leaver} of ${slots}: ${most}`);
    }
  }
});
