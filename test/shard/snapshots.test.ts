/** What a shard knows after gaps, snapshots and changes of its arc. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { complete, hear, IDS, openShard, SALE, takeSnapshot } from './open.ts';

test('the sale is sold out as soon as any event says that all are sold, though others were lost', () => {
  const { shard, own } = openShard();
  hear(shard, 1, IDS.length, [own[0]!]);
  assert.equal(shard.verdict(SALE, own[1]!), 'sold-out');
  assert.equal(shard.needsSnapshot(SALE), false);
});

test('a snapshot begun before an epoch change adds nothing after it', () => {
  const { shard, own } = openShard();
  const snapshot = shard.beginSnapshot(SALE, 1, 5, 5);
  shard.openSale(SALE, IDS.length, 2);
  snapshot.add(own);
  snapshot.done();
  assert.equal(shard.verdict(SALE, own[0]!), undefined);
  assert.equal(shard.needsSnapshot(SALE), true);
});

test('a snapshot is wanted at first, after a gap, after an interruption and for a grown arc', () => {
  const { shard, own } = openShard();
  assert.equal(shard.needsSnapshot('S-0000000000'), false);
  assert.equal(shard.needsSnapshot(SALE), true);
  complete(shard, 0);
  assert.equal(shard.needsSnapshot(SALE), false);

  hear(shard, 1, 1, [own[0]!]);
  assert.equal(shard.needsSnapshot(SALE), false);
  hear(shard, 1, 3, [own[2]!]);
  assert.equal(shard.needsSnapshot(SALE), true);
  hear(shard, 1, 2, [own[1]!]); // too late: it may be back by now
  assert.equal(shard.verdict(SALE, own[1]!), undefined);
  assert.equal(shard.needsSnapshot(SALE), true);
  complete(shard, 8);
  hear(shard, 1, 9, [own[3]!]);
  assert.equal(shard.needsSnapshot(SALE), false);

  shard.doubt();
  assert.equal(shard.needsSnapshot(SALE), true);
  complete(shard, 9);
  shard.setSlots([0, 1, 2]);
  assert.equal(shard.needsSnapshot(SALE), false);
  shard.setSlots([0, 1]);
  assert.equal(shard.needsSnapshot(SALE), true);
});

test('an event that was heard while a snapshot was read stands above it; one from before it began does not', () => {
  const { shard, own, foreign } = openShard();
  const [kept, sold, back, late] = own as [string, string, string, string];
  const snapshot = shard.beginSnapshot(SALE, 1, 10, 3);
  hear(shard, 1, 9, [late]); // and the tenth, by which it came back, is lost
  hear(shard, 1, 12, [sold, foreign[0]!]);
  assert.equal(shard.verdict(SALE, sold), 'sold', 'what is heard is believed at once');
  hear(shard, 1, 13, [], [back]);
  snapshot.add([kept, back]);
  snapshot.done();
  assert.deepEqual(
    [kept, sold, back, late, foreign[0]!].map((itemId) => shard.verdict(SALE, itemId)),
    ['sold', 'sold', undefined, undefined, 'sold'],
  );
  assert.equal(shard.needsSnapshot(SALE), false);
});

test('sold out is taken back as soon as one item is back, and by a snapshot, and by more items', () => {
  const { shard, own } = openShard();
  complete(shard, 0);
  hear(shard, 1, IDS.length, IDS);
  assert.equal(shard.verdict(SALE, own[0]!), 'sold-out');
  hear(shard, 1, IDS.length + 1, [], [own[0]!], IDS.length - 1);
  assert.deepEqual([shard.verdict(SALE, own[0]!), shard.verdict(SALE, own[1]!)], [undefined, 'sold']);
  hear(shard, 1, IDS.length + 2, [own[0]!], [], IDS.length);
  assert.equal(shard.verdict(SALE, own[0]!), 'sold-out');
  takeSnapshot(shard, IDS.length + 4, IDS.slice(2));
  assert.equal(shard.verdict(SALE, IDS[0]!), undefined);
  hear(shard, 1, IDS.length + 6, IDS.slice(0, 2), [], IDS.length);
  assert.equal(shard.verdict(SALE, own[1]!), 'sold-out');
  shard.openSale(SALE, IDS.length + 1, 1);
  assert.deepEqual([shard.verdict(SALE, own[1]!), shard.verdict(SALE, 'added')], ['sold', undefined]);
});

test('a last event that was lost is missed at the second look at the version', () => {
  const { shard, own } = openShard();
  complete(shard, 0);
  hear(shard, 1, IDS.length, IDS);
  const look = (version: number, gone: number, epoch = 1) => shard.look(SALE, epoch, version, gone);
  look(IDS.length, IDS.length);
  look(IDS.length + 1, IDS.length - 1);
  assert.equal(shard.needsSnapshot(SALE), false, 'it may be on its way');
  look(IDS.length + 1, IDS.length - 1);
  assert.equal(shard.needsSnapshot(SALE), true);
  takeSnapshot(shard, IDS.length + 1, IDS.slice(1));
  assert.deepEqual([shard.verdict(SALE, IDS[0]!), shard.needsSnapshot(SALE)], [undefined, false]);
  for (let version = IDS.length + 2; version < IDS.length + 6; version++) {
    look(version, IDS.length - 1);
    hear(shard, 1, version, [], [own[version % 2]!], IDS.length - 1);
  }
  assert.equal(shard.needsSnapshot(SALE), false, 'what is only late is not missed');
  look(1, 1, 2);
  assert.equal(shard.needsSnapshot(SALE), true, 'a look may be the first to tell of an epoch');
});

test('a snapshot that is given up leaves the sale in doubt, and one begun later takes its place', () => {
  const { shard, own } = openShard();
  complete(shard, 0);
  const given = shard.beginSnapshot(SALE, 1, 1, 1);
  given.add([own[0]!]);
  assert.equal(shard.needsSnapshot(SALE), true);
  takeSnapshot(shard, 2, [own[1]!]);
  given.done();
  assert.deepEqual([shard.verdict(SALE, own[0]!), shard.verdict(SALE, own[1]!)], [undefined, 'sold']);
  assert.equal(shard.needsSnapshot(SALE), false);
});

test('a snapshot begun before the arc grew does not settle the doubt', () => {
  const { shard } = openShard();
  const snapshot = shard.beginSnapshot(SALE, 1, 0, 0);
  shard.setSlots([0]);
  snapshot.done();
  assert.equal(shard.needsSnapshot(SALE), true);
  complete(shard, 0);
  assert.equal(shard.needsSnapshot(SALE), false);
});

test('a snapshot for a grown arc makes the owner know it, and a shrunken arc is forgotten', () => {
  const { shard, own, foreign } = openShard();
  shard.setSlots([0]);
  const snapshot = shard.beginSnapshot(SALE, 1, IDS.length - 1, IDS.length - 1);
  snapshot.add(IDS.slice(0, -1));
  snapshot.done();
  for (const itemId of IDS.slice(0, -1)) assert.equal(shard.ownsSold(SALE, 1, 0, itemId), true);
  shard.setSlots([0, 1]);
  assert.equal(shard.ownsSold(SALE, 1, 0, own[0]!), true);
  assert.equal(shard.ownsSold(SALE, 1, 0, foreign[0]!), false);
});
