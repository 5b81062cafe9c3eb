/** Invariants I7 and I4: whatever the shards have missed, misheard or mixed up, in the end they say what Redis says. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { createPeers, type Peers } from '../../src/shard/peers.ts';
import {
  createShard,
  type SaleChange,
  type Shard,
  type ShardOptions,
  type Snapshot,
} from '../../src/shard/shard.ts';
import { generatedIds, range } from './ids.ts';

const SALE = 'S-3f9a1c22b7';
const IDS = generatedIds(12);
const SLOTS = [0, 1, 2];

/** What Redis holds and has published: a log of all changes, which each worker hears at its own pace. */
function createTruth() {
  let [epoch, version] = [1, 0];
  let sold = new Set<string>();
  const log: SaleChange[] = [];
  /** Where in the log an item has last run out or come back, in this epoch. */
  const last = new Map<string, number>();
  const publish = (itemIds: string[], backIds: string[]) => {
    if (itemIds.length + backIds.length === 0) return;
    version += itemIds.length + backIds.length;
    for (const itemId of [...itemIds, ...backIds]) last.set(itemId, log.length);
    log.push({ saleId: SALE, epoch, version, gone: sold.size, itemIds, backIds });
  };
  return {
    log,
    last,
    epoch: () => epoch,
    sold: () => sold,
    counts: () => ({ epoch, version, gone: sold.size }),
    sell(itemIds: readonly string[]) {
      const fresh = [...new Set(itemIds)].filter((itemId) => !sold.has(itemId));
      for (const itemId of fresh) sold.add(itemId);
      publish(fresh, []);
    },
    giveBack(itemIds: readonly string[]) {
      const back = [...new Set(itemIds)].filter((itemId) => sold.delete(itemId));
      publish([], back);
    },
    /** Begins an epoch, in which any other items may be sold. */
    rebuild(itemIds: readonly string[]) {
      sold = new Set(itemIds);
      epoch += 1;
      version = sold.size;
      last.clear();
    },
  };
}

interface Question {
  readonly asker: number;
  readonly itemId: string;
  readonly answer: () => boolean;
  readonly resolve: (isSold: boolean) => void;
  said?: boolean;
}

/** Three workers with real shards. Messages, answers, replies and the parts of snapshots arrive when a step says so. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: short inner functions share its state.
function createWorld(saysMaybe: boolean) {
  const truth = createTruth();
  const questions: Question[] = [];
  const workers = SLOTS.map((slot) => {
    const ask: ShardOptions['ask'] = (owner, saleId, epoch, since, itemId) =>
      new Promise((resolve) => {
        const answer = () => workers[owner]!.shard.ownsSold(saleId, epoch, since, itemId);
        questions.push({ asker: slot, itemId, answer, resolve });
      });
    const shard = createShard({
      ...{ slot, slots: SLOTS, ask, confirmationsMax: 8 },
      ...(saysMaybe && { createFilter: () => ({ add() {}, has: () => true }) }),
    });
    shard.openSale(SALE, IDS.length, 1);
    return { shard, next: 0, heard: new Set<number>(), read: undefined as (() => boolean) | undefined };
  });
  type Worker = (typeof workers)[number];

  /** Counts, then parts of the items, each as they are when it is read. Returns whether there is more to do. */
  const createSnapshot = ({ shard }: Worker) => {
    const { epoch, version, gone } = truth.counts();
    let snapshot: Snapshot | undefined;
    let from = 0;
    return () => {
      snapshot ??= shard.beginSnapshot(SALE, epoch, version, gone);
      const part = IDS.slice(from, from + 4);
      from += 4;
      snapshot.add(part.filter((itemId) => truth.sold().has(itemId)));
      if (from >= IDS.length) snapshot.done();
      return from < IDS.length;
    };
  };

  /** No worker that has heard of an item's return, behind which nothing came, refuses it. */
  const mustSell = (slot: number, itemId: string) => {
    const last = truth.last.get(itemId);
    return last !== undefined && !truth.sold().has(itemId) && workers[slot]!.heard.has(last);
  };
  const check = () => {
    for (const [slot, { shard }] of workers.entries()) {
      for (const itemId of IDS) {
        const verdict = shard.verdict(SALE, itemId);
        const judge = (said: unknown) => {
          if (said !== undefined)
            assert.ok(!mustSell(slot, itemId), `worker ${slot} refuses ${itemId}, which is back`);
        };
        if (verdict instanceof Promise) verdict.then(judge).catch((error) => errors.push(error));
        else judge(verdict);
      }
    }
  };
  const errors: unknown[] = [];

  const answerOne = (n: number) => {
    const waiting = questions.filter(({ said }) => said === undefined);
    const question = waiting[n % waiting.length];
    if (question) question.said = question.answer();
  };
  const replyOne = async (n: number) => {
    const said = questions.filter(({ said }) => said !== undefined);
    const question = said[n % said.length];
    if (question === undefined) return;
    questions.splice(questions.indexOf(question), 1);
    question.resolve(question.said as boolean);
    await new Promise((resolve) => setImmediate(resolve));
  };

  return {
    truth,
    workers,
    check,
    errors,
    answerOne,
    replyOne,
    hear(worker: Worker, count: number, isLost: boolean) {
      for (let i = 0; i < count && worker.next < truth.log.length; i++, worker.next++) {
        if (isLost) continue;
        worker.shard.hear(truth.log[worker.next]!);
        worker.heard.add(worker.next);
      }
    },
    look({ shard }: Worker) {
      const { epoch, version, gone } = truth.counts();
      shard.look(SALE, epoch, version, gone);
    },
    read(worker: Worker) {
      worker.read ??= createSnapshot(worker);
      if (!worker.read()) worker.read = undefined;
    },
    async settleQuestions() {
      while (questions.length > 0) {
        answerOne(0);
        await replyOne(0);
      }
    },
  };
}

const slot = fc.nat(2);
const items = fc.array(fc.constantFrom(...IDS), { minLength: 1, maxLength: 5 });
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('sell' as const), items }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('giveBack' as const), items }) },
  {
    weight: 12,
    arbitrary: fc.record({ do: fc.constant('hear' as const), slot, count: fc.integer({ min: 1, max: 4 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('lose' as const), slot, count: fc.integer({ min: 1, max: 2 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('repeat' as const), slot, which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('rebuild' as const), items }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('read' as const), slot }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('look' as const), slot }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('answer' as const), which: fc.nat() }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('reply' as const), which: fc.nat() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('slots' as const),
      slot,
      slots: fc.subarray(SLOTS, { minLength: 1 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('doubt' as const), slot }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
type World = ReturnType<typeof createWorld>;

async function take(world: World, now: Step): Promise<void> {
  const { truth, workers } = world;
  const worker = 'slot' in now ? workers[now.slot]! : workers[0]!;
  if (now.do === 'sell') truth.sell(now.items);
  else if (now.do === 'giveBack') truth.giveBack(now.items);
  else if (now.do === 'hear') world.hear(worker, now.count, false);
  else if (now.do === 'lose') world.hear(worker, now.count, true);
  else if (now.do === 'repeat' && worker.next > 0) worker.shard.hear(truth.log[now.which % worker.next]!);
  else if (now.do === 'rebuild') truth.rebuild(now.items);
  else if (now.do === 'read') world.read(worker);
  else if (now.do === 'look') world.look(worker);
  else if (now.do === 'answer') world.answerOne(now.which);
  else if (now.do === 'reply') await world.replyOne(now.which);
  else if (now.do === 'slots') worker.shard.setSlots(now.slots);
  else if (now.do === 'doubt') worker.shard.doubt();
}

/** What the timer of each worker does: after two looks and a snapshot, what was lost is known. */
function takeLooks(world: World): void {
  for (let round = 0; round < 3; round++) {
    for (const worker of world.workers) {
      world.look(worker);
      while (worker.read || worker.shard.needsSnapshot(SALE)) world.read(worker);
    }
  }
}

async function checkAll({ truth, workers, settleQuestions }: World): Promise<void> {
  const sold = truth.sold();
  for (const [slot, { shard }] of workers.entries()) {
    assert.equal(shard.needsSnapshot(SALE), false);
    for (const itemId of IDS) {
      const right = sold.size === IDS.length ? 'sold-out' : sold.has(itemId) ? 'sold' : undefined;
      const verdict = Promise.resolve(shard.verdict(SALE, itemId));
      await settleQuestions();
      assert.equal(await verdict, right, `${itemId} at worker ${slot}`);
    }
  }
}

/** A return is lost, and the next change comes while a snapshot is read that began behind it: the owner must not swear by what it knew. */
const MISSED_WHILE_READ: Step[] = [
  { do: 'read', slot: 1 },
  { do: 'read', slot: 1 },
  { do: 'sell', items: [IDS[3]!, IDS[0]!] },
  { do: 'read', slot: 1 },
  { do: 'giveBack', items: [IDS[3]!, IDS[0]!] },
  { do: 'hear', slot: 1, count: 1 },
  { do: 'lose', slot: 1, count: 1 },
  { do: 'read', slot: 1 },
  { do: 'sell', items: [IDS[0]!] },
];

for (const saysMaybe of [true, false]) {
  test(`after any history of sales, returns, lost messages and snapshots, ${saysMaybe ? 'with filters that say maybe to all, ' : ''}every worker says what Redis says`, async () => {
    const property = fc.asyncProperty(
      fc.array(step, { maxLength: 70, size: 'max' }),
      fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()),
      async (steps, lastIsLost) => {
        const world = createWorld(saysMaybe);
        for (const now of steps) {
          await take(world, now);
          world.check();
        }
        for (const [i, worker] of world.workers.entries()) {
          world.hear(worker, Number.POSITIVE_INFINITY, lastIsLost[i]!);
          worker.shard.setSlots(SLOTS);
        }
        world.check();
        await world.settleQuestions();
        takeLooks(world);
        world.check();
        await world.settleQuestions();
        await checkAll(world);
        if (world.errors.length > 0) throw world.errors[0];
      },
    );
    await fc.assert(property, { numRuns: 120, examples: [[MISSED_WHILE_READ, [false, false, false]]] });
  });
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
      answer: (saleId, epoch, since, itemId) => shard.ownsSold(saleId, epoch, since, itemId),
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
        const event = { saleId: SALE, epoch: 1, version: sold.size, gone: sold.size };
        if (turn % 3 > 0 || slot % 2 === 0) worker.shard.hear({ ...event, itemIds: [itemId], backIds: [] });
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
