/** Invariant I7: whatever the shard has missed, misheard or mixed up, no unsold item is ever refused. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { createPeers, type Peers } from '../../src/shard/peers.ts';
import { createShard, type Shard } from '../../src/shard/shard.ts';
import { generatedIds, range } from './ids.ts';

const SALE = 'S-3f9a1c22b7';
const IDS = generatedIds(40);

interface SoldEvent {
  readonly epoch: number;
  readonly version: number;
  readonly itemIds: readonly string[];
}

/** What Redis would say and publish. A rebuild loses the last `lost` sales and starts an epoch. */
function createTruth() {
  let epoch = 1;
  let sold: string[] = [];
  const events: SoldEvent[] = [];
  return {
    sell(itemIds: readonly string[]) {
      const fresh = [...new Set(itemIds)].filter((itemId) => !sold.includes(itemId));
      sold.push(...fresh);
      if (fresh.length > 0) events.push({ epoch, version: sold.length, itemIds: fresh });
    },
    rebuild(lost: number) {
      sold = sold.slice(0, Math.max(0, sold.length - lost));
      epoch += 1;
    },
    events,
    epoch: () => epoch,
    sold: () => sold as readonly string[],
  };
}

const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('sell' as const), items: fc.array(fc.nat(39), { maxLength: 4 }) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('hear' as const), which: fc.nat(), versioned: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('rebuild' as const), lost: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('begin' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('finish' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('slots' as const), slots: fc.subarray([0, 1, 2]) }) },
);

/** Events are heard in any order, any number of times or never; a snapshot may be overtaken by anything. */
test('after any history, what is refused is sold; after a last snapshot, all of the own arc is refused', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.boolean(), async (steps, saysMaybe) => {
      const truth = createTruth();
      const shard: Shard = createShard({
        slot: 0,
        slots: [0, 1, 2],
        // The other owners know everything, and answer for the epoch they are asked about.
        ask: async (_owner, _saleId, epoch, itemId) =>
          epoch === truth.epoch() && truth.sold().includes(itemId),
        ...(saysMaybe && { createFilter: () => ({ add() {}, has: () => true }) }),
        confirmationsMax: 8,
      });
      shard.openSale(SALE, IDS.length, 1);
      let finish: (() => void) | undefined;
      for (const now of steps) {
        if (now.do === 'sell') truth.sell(now.items.map((i) => IDS[i]!));
        else if (now.do === 'hear' && truth.events.length > 0) {
          const { epoch, version, itemIds } = truth.events[now.which % truth.events.length]!;
          shard.sold(SALE, epoch, now.versioned ? version : undefined, itemIds);
        } else if (now.do === 'rebuild') {
          truth.rebuild(now.lost);
          shard.openSale(SALE, IDS.length, truth.epoch());
        } else if (now.do === 'begin') finish = takeSnapshot(shard, truth);
        else if (now.do === 'finish') finish?.();
        else if (now.do === 'slots') shard.setSlots(now.slots);
        await checkVerdicts(shard, truth);
      }
      shard.setSlots([0, 1, 2]);
      takeSnapshot(shard, truth)();
      assert.equal(shard.needsSnapshot(SALE), false);
      for (const itemId of truth.sold().filter((id) => shard.ring.ownerOf(id) === 0)) {
        assert.equal(shard.ownsSold(SALE, truth.epoch(), itemId), true);
      }
    }),
    { numRuns: 300 },
  );
});

/** Reads now, tells the shard in two parts and later. */
function takeSnapshot(shard: Shard, truth: ReturnType<typeof createTruth>): () => void {
  const sold = [...truth.sold()];
  const snapshot = shard.beginSnapshot(SALE, truth.epoch(), sold.length);
  snapshot.add(sold.slice(0, sold.length / 2));
  return () => {
    snapshot.add(sold.slice(sold.length / 2));
    snapshot.done();
  };
}

async function checkVerdicts(shard: Shard, truth: ReturnType<typeof createTruth>) {
  const sold = new Set(truth.sold());
  for (const itemId of IDS) {
    const verdict = await shard.verdict(SALE, itemId);
    if (verdict === 'sold-out') assert.equal(sold.size, IDS.length);
    if (verdict === 'sold') assert.ok(sold.has(itemId), `${itemId} is for sale, but was refused`);
    assert.ok(!shard.ownsSold(SALE, truth.epoch(), itemId) || sold.has(itemId));
  }
}

test('a whole sale sells to the last item though rings disagree, filters say maybe, and events and owners vanish', async () => {
  const itemIds = generatedIds(600);
  const total = itemIds.length;
  const dir = mkdtempSync(join(tmpdir(), 'fs-'));
  const sold = new Set<string>();
  const rings = [range(4), [0, 1, 2], [1, 3], range(4)];
  const workers: { shard: Shard; peers: Peers }[] = rings.map((slots, slot) => {
    const peers: Peers = createPeers({
      dir,
      slot,
      deadlineMs: 5,
      answer: (saleId, epoch, itemId) => shard.ownsSold(saleId, epoch, itemId),
    });
    const sayMaybe = () => ({ add() {}, has: () => true });
    const shard = createShard({ slot, slots, ask: peers.ask, confirmationsMax: 64, createFilter: sayMaybe });
    shard.openSale(SALE, total + 1, 1); // one is never sold, so that nobody is spared by the sold-out flag
    return { shard, peers };
  });
  for (const { peers } of workers.slice(0, 3)) await peers.listen(); // the fourth never answers

  try {
    let refused = 0;
    const buy = async (itemId: string, { shard }: (typeof workers)[number], turn: number) => {
      const verdict = await shard.verdict(SALE, itemId);
      if (verdict !== undefined) assert.ok(sold.has(itemId), `${itemId} was refused before it was sold`);
      if (verdict !== undefined) refused += 1;
      if (verdict !== undefined || sold.has(itemId)) return;
      sold.add(itemId);
      // Every third event is lost to half of the workers.
      workers.forEach((worker, slot) => {
        if (turn % 3 > 0 || slot % 2 === 0) worker.shard.sold(SALE, 1, sold.size, [itemId]);
      });
    };
    for (let round = 0; round < 3; round++) {
      if (round === 2) await workers[1]!.peers.close(); // dies in the middle
      await Promise.all(itemIds.map((itemId, i) => buy(itemId, workers[(i * 7 + round) % 4]!, i)));
    }
    assert.equal(sold.size, total);
    assert.ok(refused > 0, 'the shards should refuse some of what comes too late');
    assert.ok(workers.some(({ peers }) => peers.counts.sold > 0));
  } finally {
    for (const { peers } of workers) await peers.close();
    rmSync(dir, { recursive: true, force: true });
  }
});
