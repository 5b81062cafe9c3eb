/**
 * What the shard's own functions cost: ns per operation, a question's round-trip between two processes, and
 * memory per worker for a million sold items. `npm run perf -- shard` (20 s).
 */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createPeers } from '../src/shard/peers.ts';
import { createRing } from '../src/shard/ring.ts';
import { createShard, type Shard } from '../src/shard/shard.ts';
import { createSoldFilter } from '../src/shard/sold-filter.ts';

const SALE = 'S-3f9a1c22b7';
const ITEMS = 10_000;
const MILLION = 1_000_000;

const range = (count: number) => Array.from({ length: count }, (_, i) => i);
const idOf = (index: number) => `3f9a1c22b7-${index.toString(36).padStart(4, '0')}`;
const idsFrom = (from: number, count: number) => range(count).map((i) => idOf(from + i));

/** Prints the best of five rounds over all ids, and asserts that every call gave what it had to give. */
function measure<T>(
  name: string,
  ids: readonly string[],
  expected: T,
  operation: (itemId: string) => T,
): void {
  let bestNs = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 5; round++) {
    let wrong = 0;
    const startMs = performance.now();
    for (let pass = 0; pass < 20; pass++) {
      for (const itemId of ids) if (operation(itemId) !== expected) wrong += 1;
    }
    bestNs = Math.min(bestNs, ((performance.now() - startMs) * 1e6) / (20 * ids.length));
    assert.ok(wrong <= ids.length * 20 * 0.002, `${name}: ${wrong} wrong answers`); // the filter may be, at 0.1 %
  }
  print(name, `${bestNs.toFixed(0)} ns`);
}

/** The shard hears that these items were the last of so many to run out. */
const hear = (shard: Shard, version: number, itemIds: readonly string[]) =>
  shard.hear({ saleId: SALE, epoch: 1, version, gone: version, itemIds, backIds: [] });

const print = (name: string, value: string) => console.log(`${name.padEnd(58)}${value.padStart(16)}`);

function measureFunctions(): void {
  const sold = idsFrom(0, ITEMS);
  const unsold = idsFrom(ITEMS, ITEMS);
  for (const slots of [2, 64]) {
    const startMs = performance.now();
    const ring = createRing(range(slots));
    print(`ring of ${slots} slots: making it`, `${((performance.now() - startMs) * 1000).toFixed(0)} µs`);
    measure(`ring of ${slots} slots: owner of an item`, sold, true, (itemId) => ring.ownerOf(itemId) >= 0);
    const skus = range(ITEMS).map((i) => `sku-lamp-${i}`);
    measure(
      `ring of ${slots} slots: owner of an item with an id of its own`,
      skus,
      true,
      (id) => ring.ownerOf(id) >= 0,
    );
  }
  const filter = createSoldFilter(ITEMS);
  for (const itemId of sold) filter.add(itemId);
  measure('filter, sold out: has, of a sold item', sold, true, (itemId) => filter.has(itemId));
  measure('filter, sold out: has, of another', unsold, false, (itemId) => filter.has(itemId));
  measure('filter: add', sold, undefined, (itemId) => filter.add(itemId));
  measureVerdicts(sold, unsold);
}

function measureVerdicts(sold: readonly string[], unsold: readonly string[]): void {
  const shard = createShard({ slot: 0, slots: [0, 1], ask: () => undefined });
  shard.openSale(SALE, 2 * ITEMS, 1);
  hear(shard, sold.length, sold);
  const isOwn = (itemId: string) => shard.ring.ownerOf(itemId) === 0;
  const isForeign = (itemId: string) => !isOwn(itemId);
  const verdict = (itemId: string) => shard.verdict(SALE, itemId);
  measure('verdict: sold, own arc', sold.filter(isOwn), 'sold', verdict);
  measure('verdict: sold, foreign arc, confirmed', sold.filter(isForeign), 'sold', verdict);
  // A request's id is new every time: V8 has to cut it out and hash it for the look-up.
  const urls = sold.filter(isOwn).map((itemId) => `/checkout?id=${itemId}`);
  measure('verdict: sold, own arc, with an id cut from a URL', urls, 'sold', (url) => verdict(url.slice(13)));
  measure('verdict: unsold, own arc', unsold.filter(isOwn), undefined, verdict);
  measure('verdict: unsold, foreign arc', unsold.filter(isForeign), undefined, verdict);
  measure('owner: answer to a question', sold.filter(isOwn), true, (itemId) =>
    shard.ownsSold(SALE, 1, 0, itemId),
  );
  hear(shard, 2 * ITEMS, unsold);
  measure('verdict: sold out', sold, 'sold-out', verdict);
}

/** Questions to a worker in another process: one at a time, and 100 in each turn. */
async function measureQuestions(): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'fs-'));
  const owner = fork(fileURLToPath(import.meta.url), ['owner', dir]);
  await once(owner, 'message');
  const peers = createPeers({ dir, slot: 0, deadlineMs: 1000, answer: () => false });
  for (const [perTurn, turns] of [[1, 10_000] as const, [100, 2000] as const]) {
    let bestMs = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 3; round++) {
      const startMs = performance.now();
      for (let turn = 0; turn < turns; turn++) {
        const answers = await Promise.all(range(perTurn).map((i) => peers.ask(1, SALE, 1, 0, idOf(i))));
        assert.ok(answers.every(Boolean));
      }
      bestMs = Math.min(bestMs, performance.now() - startMs);
    }
    print(
      `question, ${perTurn} per turn: round-trip of the turn`,
      `${((bestMs * 1000) / turns).toFixed(1)} µs`,
    );
    print(`question, ${perTurn} per turn: each`, `${((bestMs * 1000) / turns / perTurn).toFixed(2)} µs`);
  }
  await peers.close();
  owner.disconnect();
  rmSync(dir, { recursive: true, force: true });
}

/** The other process of `measureQuestions`. */
async function answerQuestions(dir: string): Promise<void> {
  const shard = createShard({ slot: 1, slots: [1], ask: () => undefined });
  shard.openSale(SALE, ITEMS, 1);
  hear(shard, ITEMS, idsFrom(0, ITEMS));
  const peers = createPeers({ dir, slot: 1, answer: shard.ownsSold });
  await peers.listen();
  process.on('disconnect', () => peers.close());
  process.send?.('listening');
}

async function measureMemory(): Promise<void> {
  for (const [items, slots] of [
    [MILLION, 1],
    [MILLION, 2],
    [MILLION, 4],
    [MILLION, 8],
    [ITEMS, 2],
  ] as const) {
    const args = ['memory', String(items), String(slots)];
    const child = fork(fileURLToPath(import.meta.url), args, { execArgv: ['--expose-gc'] });
    const [{ bytes, ms }] = (await once(child, 'message')) as [{ bytes: number; ms: number }];
    print(`memory of a worker, ${items} sold, ${slots} slots`, `${(bytes / 1e6).toFixed(1)} MB`);
    print('  taking the events in, per item', `${((ms * 1000) / items).toFixed(2)} µs`);
  }
}

/** The child of `measureMemory`: gets every item in events of ten, as from the sold channel. */
function rememberSold(items: number, slots: number): void {
  const shard = createShard({ slot: 0, slots: range(slots), ask: () => undefined });
  const before = bytesInUse();
  const startMs = performance.now();
  hearEvents(shard, items);
  const ms = performance.now() - startMs;
  const bytes = bytesInUse() - before;
  assert.equal(shard.verdict(SALE, idOf(0)), 'sold');
  process.send?.({ bytes, ms }, () => process.exit());
}

function hearEvents(shard: Shard, items: number): void {
  shard.openSale(SALE, items + 1, 1);
  for (let sold = 0; sold < items; sold += 10) {
    const message = `${SALE} 1 ${sold + 10} ${range(10)
      .map((i) => idOf(sold + i))
      .join(' ')}`;
    hear(shard, sold + 10, message.split(' ').slice(3));
  }
}

function bytesInUse(): number {
  assert.ok(globalThis.gc, 'run with --expose-gc');
  globalThis.gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const [task, first, second] = process.argv.slice(2);
if (task === 'owner') await answerQuestions(first!);
else if (task === 'memory') rememberSold(Number(first), Number(second));
else {
  measureFunctions();
  await measureQuestions();
  await measureMemory();
}
