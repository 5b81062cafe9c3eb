import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createConfirmations } from '../../src/shard/confirmations.ts';
import { createShard, type ShardOptions } from '../../src/shard/shard.ts';
import { generatedIds } from './ids.ts';

const SALE = 'S-3f9a1c22b7';
const IDS = generatedIds(200);
const sayMaybe = () => ({ add() {}, has: () => true });

/** A shard in slot 0 of two, with the sale open at epoch 1, and what it asked. */
function openShard(options: Partial<ShardOptions> = {}) {
  const asked: string[] = [];
  const shard = createShard({
    slot: 0,
    slots: [0, 1],
    ask(_owner, _saleId, _epoch, _since, itemId) {
      asked.push(itemId);
      return undefined;
    },
    ...options,
  });
  shard.openSale(SALE, IDS.length, 1);
  const own = IDS.filter((itemId) => shard.ring.ownerOf(itemId) === 0);
  const foreign = IDS.filter((itemId) => shard.ring.ownerOf(itemId) === 1);
  return { shard, asked, own, foreign };
}

test('a sold item of the own arc is refused, an unsold one goes on to Redis, and neither asks anybody', () => {
  const { shard, asked, own } = openShard({ createFilter: sayMaybe });
  hear(shard, 1, 1, [own[0]!]);
  assert.equal(shard.verdict(SALE, own[0]!), 'sold');
  assert.equal(shard.verdict(SALE, own[1]!), undefined);
  assert.equal(shard.verdict('S-0000000000', own[0]!), undefined);
  assert.deepEqual(asked, []);
});

test('a foreign item that was heard sold is refused without a question', () => {
  const { shard, asked, foreign } = openShard();
  hear(shard, 1, 1, [foreign[0]!]);
  assert.equal(shard.verdict(SALE, foreign[0]!), 'sold');
  assert.deepEqual(asked, []);
});

test('with a filter that always says maybe, a foreign item is refused only when its owner confirms it', async () => {
  const confirms = new Map([[true, 'sold'] as const, [false, undefined] as const]);
  for (const [isSold, verdict] of confirms) {
    const { shard, foreign } = openShard({ createFilter: sayMaybe, ask: async () => isSold });
    assert.equal(await shard.verdict(SALE, foreign[0]!), verdict);
  }
  const { shard, foreign } = openShard({
    createFilter: sayMaybe,
    ask: () => Promise.reject(new Error('gone')),
  });
  assert.equal(await shard.verdict(SALE, foreign[0]!), undefined);
  const unreachable = openShard({ createFilter: sayMaybe });
  assert.equal(unreachable.shard.verdict(SALE, foreign[0]!), undefined);
});

test('a confirmed item is not asked for again', async () => {
  let questions = 0;
  const { shard, foreign } = openShard({
    createFilter: sayMaybe,
    ask: async () => {
      questions += 1;
      return true;
    },
  });
  await shard.verdict(SALE, foreign[0]!);
  assert.equal(shard.verdict(SALE, foreign[0]!), 'sold');
  assert.equal(questions, 1);
});

test('the sale is sold out as soon as any event says that all are sold, though others were lost', () => {
  const { shard, own } = openShard();
  hear(shard, 1, IDS.length, [own[0]!]);
  assert.equal(shard.verdict(SALE, own[1]!), 'sold-out');
  assert.equal(shard.needsSnapshot(SALE), false);
});

test('a new epoch forgets every fact of the older one, and older events are ignored', async () => {
  const { shard, own, foreign } = openShard({ createFilter: sayMaybe });
  hear(shard, 1, IDS.length, [own[0]!, foreign[0]!]);
  shard.openSale(SALE, IDS.length, 2);
  hear(shard, 1, IDS.length, [own[0]!, foreign[0]!]);
  shard.beginSnapshot(SALE, 1, IDS.length, IDS.length).add(IDS);
  shard.openSale(SALE, IDS.length, 1);
  for (const itemId of IDS) assert.equal(shard.verdict(SALE, itemId), undefined);
  assert.equal(shard.ownsSold(SALE, 1, 0, own[0]!), false);
  hear(shard, 3, 1, [own[1]!]); // an event may be the first to tell of an epoch
  assert.equal(shard.ownsSold(SALE, 3, 0, own[1]!), true);
  assert.equal(shard.ownsSold(SALE, 2, 0, own[1]!), false);
});

test('a confirmation that arrives after the epoch has changed, or the sale has gone, is not believed', async () => {
  for (const change of ['epoch', 'close'] as const) {
    const { promise, resolve } = withResolvers();
    const { shard, foreign } = openShard({ createFilter: sayMaybe, ask: () => promise });
    const verdict = shard.verdict(SALE, foreign[0]!);
    if (change === 'epoch') shard.openSale(SALE, IDS.length, 2);
    else shard.closeSale(SALE);
    resolve(true);
    assert.equal(await verdict, undefined);
  }
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

test('a malformed event changes nothing', () => {
  const { shard, own } = openShard();
  hear(shard, Number.NaN, 1, [own[0]!]);
  assert.equal(shard.verdict(SALE, own[0]!), undefined);
  hear(shard, 1, Number.NaN, []);
  assert.equal(shard.ownsSold(SALE, 1, 0, own[0]!), false);
  complete(shard, 0);
  assert.equal(shard.needsSnapshot(SALE), false);
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

test('an item that is back is for sale at once, of the own arc or another', async () => {
  const { shard, own, foreign } = openShard({ createFilter: sayMaybe });
  complete(shard, 0);
  const both = [own[0]!, foreign[0]!];
  hear(shard, 1, 2, both);
  assert.equal(shard.ownsSold(SALE, 1, 2, own[0]!), true);
  const before = shard.unlearned(SALE);
  hear(shard, 1, 4, [], both, 0);
  for (const itemId of both) assert.equal(await shard.verdict(SALE, itemId), undefined);
  assert.equal(shard.ownsSold(SALE, 1, 4, own[0]!), false);
  assert.notEqual(shard.unlearned(SALE), before);
  hear(shard, 1, 6, both);
  for (const itemId of both) assert.equal(shard.verdict(SALE, itemId), 'sold', 'until it is sold again');
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

test('an owner answers nobody who has heard of a return that it may have missed', () => {
  const { shard, own } = openShard();
  complete(shard, 0);
  hear(shard, 1, 1, [own[0]!]);
  assert.equal(shard.ownsSold(SALE, 1, 1, own[0]!), true);
  assert.equal(shard.ownsSold(SALE, 1, 2, own[0]!), false, 'the asker has heard more');
  hear(shard, 1, 3, [own[2]!]);
  assert.equal(shard.ownsSold(SALE, 1, 3, own[0]!), false, 'that item may be back');
  assert.equal(shard.verdict(SALE, own[0]!), 'sold', 'until the snapshot it is held to be sold');
  takeSnapshot(shard, 3, [own[2]!]);
  assert.equal(shard.ownsSold(SALE, 1, 3, own[2]!), true);
  assert.equal(shard.verdict(SALE, own[0]!), undefined);
});

test('a confirmation of before a return is neither believed nor kept, and the next question names that return', async () => {
  const answers: ((isSold: boolean) => void)[] = [];
  const since: number[] = [];
  const { shard, foreign } = openShard({
    createFilter: sayMaybe,
    ask(_owner, _saleId, _epoch, version) {
      since.push(version);
      const { promise, resolve } = withResolvers();
      answers.push(resolve);
      return promise;
    },
  });
  complete(shard, 5);
  const first = shard.verdict(SALE, foreign[0]!);
  hear(shard, 1, 6, [], [foreign[0]!], 0);
  answers[0]?.(true);
  assert.equal(await first, undefined);
  const second = shard.verdict(SALE, foreign[0]!);
  answers[1]?.(true);
  assert.equal(await second, 'sold');
  assert.deepEqual(since, [5, 6]);
  takeSnapshot(shard, 7, []);
  void shard.verdict(SALE, foreign[0]!);
  assert.deepEqual(since, [5, 6, 7], 'a snapshot clears what was confirmed');
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

test('a closed sale is unknown again', () => {
  const { shard, own } = openShard();
  hear(shard, 1, 1, [own[0]!]);
  shard.closeSale(SALE);
  hear(shard, 1, 2, [own[1]!]);
  assert.equal(shard.verdict(SALE, own[0]!), undefined);
  shard.openSale(SALE, IDS.length, 1);
  assert.equal(shard.verdict(SALE, own[0]!), undefined);
});

test('the memory of a closed sale can be collected', async () => {
  const { shard } = openShard();
  const filters: WeakRef<object>[] = [];
  const remembering = openShard({
    createFilter: () => {
      const filter = sayMaybe();
      filters.push(new WeakRef(filter));
      return filter;
    },
  });
  hear(remembering.shard, 1, 2, IDS.slice(0, 2));
  remembering.shard.closeSale(SALE);
  await new Promise((resolve) => setTimeout(resolve, 1)); // a WeakRef holds its target until the turn ends
  collectGarbage();
  assert.equal(filters[0]!.deref(), undefined);
  assert.equal(shard.needsSnapshot(SALE), true);
});

test('confirmations are bounded and keep what is asked for', () => {
  const confirmations = createConfirmations(100);
  for (let i = 0; i < 1000; i++) {
    confirmations.add(`cold-${i}`);
    confirmations.add('hot');
    assert.equal(confirmations.has('hot'), true);
  }
  const kept = Array.from({ length: 1000 }, (_, i) => `cold-${i}`).filter((id) => confirmations.has(id));
  assert.ok(kept.length < 100);
  const none = createConfirmations(0);
  none.add('a');
  assert.equal(none.has('a'), false);
});

type Shard = ReturnType<typeof createShard>;

/** The shard hears that items ran out or came back, and that so many are gone since. */
function hear(
  shard: Shard,
  epoch: number,
  version: number,
  itemIds: readonly string[],
  backIds: readonly string[] = [],
  gone = version,
) {
  shard.hear({ saleId: SALE, epoch, version, gone, itemIds, backIds });
}

/** A snapshot that finds these items sold. */
function takeSnapshot(shard: Shard, version: number, sold: readonly string[]) {
  const snapshot = shard.beginSnapshot(SALE, 1, version, sold.length);
  snapshot.add(sold);
  snapshot.done();
}

function complete(shard: Shard, version: number) {
  shard.beginSnapshot(SALE, 1, version, version).done();
}

function withResolvers() {
  let resolve!: (isSold: boolean) => void;
  const promise = new Promise<boolean>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

function collectGarbage() {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}
