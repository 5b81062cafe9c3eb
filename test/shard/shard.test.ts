import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createConfirmations } from '../../src/shard/confirmations.ts';
import { complete, hear, IDS, openShard, SALE, takeSnapshot } from './open.ts';

const sayMaybe = () => ({ add() {}, has: () => true });

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

test('a malformed event changes nothing', () => {
  const { shard, own } = openShard();
  hear(shard, Number.NaN, 1, [own[0]!]);
  assert.equal(shard.verdict(SALE, own[0]!), undefined);
  hear(shard, 1, Number.NaN, []);
  assert.equal(shard.ownsSold(SALE, 1, 0, own[0]!), false);
  complete(shard, 0);
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
