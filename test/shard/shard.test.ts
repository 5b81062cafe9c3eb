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
    ask(_owner, _saleId, _epoch, itemId) {
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
  shard.sold(SALE, 1, 1, [own[0]!]);
  assert.equal(shard.verdict(SALE, own[0]!), 'sold');
  assert.equal(shard.verdict(SALE, own[1]!), undefined);
  assert.equal(shard.verdict('S-0000000000', own[0]!), undefined);
  assert.deepEqual(asked, []);
});

test('a foreign item that was heard sold is refused without a question', () => {
  const { shard, asked, foreign } = openShard();
  shard.sold(SALE, 1, 1, [foreign[0]!]);
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
  shard.sold(SALE, 1, IDS.length, [own[0]!]);
  assert.equal(shard.verdict(SALE, own[1]!), 'sold-out');
  assert.equal(shard.needsSnapshot(SALE), false);
});

test('a new epoch forgets every fact of the older one, and older events are ignored', async () => {
  const { shard, own, foreign } = openShard({ createFilter: sayMaybe });
  shard.sold(SALE, 1, IDS.length, [own[0]!, foreign[0]!]);
  shard.openSale(SALE, IDS.length, 2);
  shard.sold(SALE, 1, IDS.length, [own[0]!, foreign[0]!]);
  shard.beginSnapshot(SALE, 1, IDS.length).add(IDS);
  shard.openSale(SALE, IDS.length, 1);
  for (const itemId of IDS) assert.equal(shard.verdict(SALE, itemId), undefined);
  assert.equal(shard.ownsSold(SALE, 1, own[0]!), false);
  shard.sold(SALE, 3, 1, [own[1]!]); // an event may be the first to tell of an epoch
  assert.equal(shard.ownsSold(SALE, 3, own[1]!), true);
  assert.equal(shard.ownsSold(SALE, 2, own[1]!), false);
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
  const snapshot = shard.beginSnapshot(SALE, 1, 5);
  shard.openSale(SALE, IDS.length, 2);
  snapshot.add(own);
  snapshot.done();
  assert.equal(shard.verdict(SALE, own[0]!), undefined);
  assert.equal(shard.needsSnapshot(SALE), true);
});

test('a malformed event changes nothing', () => {
  const { shard, own } = openShard();
  shard.sold(SALE, Number.NaN, 1, [own[0]!]);
  assert.equal(shard.verdict(SALE, own[0]!), undefined);
  shard.sold(SALE, 1, Number.NaN, []);
  assert.equal(shard.ownsSold(SALE, 1, own[0]!), false);
  complete(shard, 0);
  assert.equal(shard.needsSnapshot(SALE), false);
});

test('a snapshot is wanted at first, after a gap, after an interruption and for a grown arc', () => {
  const { shard, own } = openShard();
  assert.equal(shard.needsSnapshot('S-0000000000'), false);
  assert.equal(shard.needsSnapshot(SALE), true);
  complete(shard, 0);
  assert.equal(shard.needsSnapshot(SALE), false);

  shard.sold(SALE, 1, 1, [own[0]!]);
  shard.sold(SALE, 1, 3, [own[2]!]);
  assert.equal(shard.needsSnapshot(SALE), true);
  shard.sold(SALE, 1, 2, [own[1]!]); // only late
  assert.equal(shard.needsSnapshot(SALE), false);
  shard.sold(SALE, 1, 9, [own[3]!]);
  complete(shard, 8);
  assert.equal(shard.needsSnapshot(SALE), false);

  shard.doubtAll();
  assert.equal(shard.needsSnapshot(SALE), true);
  complete(shard, 9);
  shard.setSlots([0, 1, 2]);
  assert.equal(shard.needsSnapshot(SALE), false);
  shard.setSlots([0, 1]);
  assert.equal(shard.needsSnapshot(SALE), true);
});

test('own purchases, of which no version is known, leave no gap', () => {
  const { shard, own } = openShard();
  complete(shard, 0);
  shard.sold(SALE, 1, undefined, [own[0]!]);
  assert.equal(shard.verdict(SALE, own[0]!), 'sold');
  assert.equal(shard.needsSnapshot(SALE), false);
});

test('a snapshot begun before the arc grew does not settle the doubt', () => {
  const { shard } = openShard();
  const snapshot = shard.beginSnapshot(SALE, 1, 0);
  shard.setSlots([0]);
  snapshot.done();
  assert.equal(shard.needsSnapshot(SALE), true);
  complete(shard, 0);
  assert.equal(shard.needsSnapshot(SALE), false);
});

test('a snapshot for a grown arc makes the owner know it, and a shrunken arc is forgotten', () => {
  const { shard, own, foreign } = openShard();
  shard.setSlots([0]);
  const snapshot = shard.beginSnapshot(SALE, 1, IDS.length - 1);
  snapshot.add(IDS.slice(0, -1));
  snapshot.done();
  for (const itemId of IDS.slice(0, -1)) assert.equal(shard.ownsSold(SALE, 1, itemId), true);
  shard.setSlots([0, 1]);
  assert.equal(shard.ownsSold(SALE, 1, own[0]!), true);
  assert.equal(shard.ownsSold(SALE, 1, foreign[0]!), false);
});

test('a closed sale is unknown again', () => {
  const { shard, own } = openShard();
  shard.sold(SALE, 1, 1, [own[0]!]);
  shard.closeSale(SALE);
  shard.sold(SALE, 1, 2, [own[1]!]);
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
  remembering.shard.sold(SALE, 1, 2, IDS.slice(0, 2));
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

function complete(shard: ReturnType<typeof createShard>, version: number) {
  shard.beginSnapshot(SALE, 1, version).done();
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
