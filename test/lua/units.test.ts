import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createCheckouts } from '../../src/store/checkouts.ts';
import { decideCodes } from '../../src/store/decide.ts';
import { itemOf, unitsOf } from '../../src/store/decision.ts';
import { keysOf, SOLD_CHANNEL } from '../../src/store/keys.ts';
import { rebuildSale } from '../../src/store/rebuild.ts';
import { script as luaScript } from '../../src/store/redis.ts';
import { parseSoldEvent, type SoldEvent } from '../../src/store/sold.ts';
import { until } from '../support/processes.ts';
import { addSale, openSale, openStores, type TestSale } from '../support/stores.ts';
import { type Op, Reference } from './reference.ts';

const stores = await openStores();
const { redis } = stores;

const USERS = ['ada', 'bob', '+cy'];
/** An id that begins like another, one with every sign that an id may have, and two plain ones; "ghost" is no item. */
const ITEMS = ['lamp', 'lampA', 'a-b.c:d_1', 'vase'];
const ASKED = [...ITEMS, 'ghost'];

const op = fc.record({
  user: fc.constantFrom(...USERS),
  item: fc.constantFrom(...ASKED),
  quantity: fc.option(fc.integer({ min: 0, max: 4 }), { nil: undefined, freq: 2 }),
});
const step = fc.oneof(
  fc.record({ checkouts: fc.array(op, { minLength: 1, maxLength: 6 }) }),
  fc.record({ purchases: fc.array(fc.nat(4), { minLength: 1, maxLength: 4 }) }),
  fc.record({
    returns: fc.array(fc.record({ line: fc.nat(6), units: fc.nat(3), restocked: fc.boolean() }), {
      minLength: 1,
      maxLength: 4,
    }),
  }),
  /** A unit that this user holds and no cart knew of: a Redis with old carts comes to this. */
  fc.record({ holds: fc.constantFrom(...USERS) }),
);
const shelve = luaScript('shelve');

interface Back {
  readonly line: number;
  readonly units: number;
  readonly restocked: boolean;
}

const script = fc.record({
  limit: fc.integer({ min: 1, max: 6 }),
  /** Which units of each item are for sale, of so many. */
  shelves: fc.tuple(...ITEMS.map(() => fc.array(fc.boolean(), { minLength: 1, maxLength: 9 }))),
  steps: fc.array(step, { maxLength: 14, size: 'max' }),
});

/** A sale with these units for sale; the others are held. */
async function openShelves(limit: number, shelves: readonly boolean[][]) {
  const stock = shelves.map((units) => units.length);
  const sale = await addSale(stores, {
    ...{ limit, items: stock.reduce((a, b) => a + b) },
    named: ITEMS.map((id, i) => ({ id, name: `The ${id}`, stock: stock[i] as number })),
  });
  const shelf = new Map<string, number[]>();
  for (const [i, id] of ITEMS.entries()) {
    const units = shelves[i] as boolean[];
    for (const [unit, isForSale] of units.entries())
      if (!isForSale)
        await stores.sql(
          `insert into purchases (sale_id, item_id, unit, stock, code, user_id, purchased_at) values ($1, $2, $3, $4, 'before', 'eve', now())`,
          ...[sale.id, id, unit, units.length],
        );
    shelf.set(
      id,
      units.flatMap((isForSale, unit) => (isForSale ? [unit] : [])),
    );
  }
  const rebuilt = await rebuildSale(redis, stores.postgres, sale.id, assert.fail);
  return { sale: { ...sale, epoch: rebuilt!.epoch }, reference: new Reference(shelf, limit) };
}

/** Compares what Redis holds with what the reference holds. */
async function compare(sale: TestSale, reference: Reference): Promise<void> {
  const k = keysOf(sale.id);
  const left = (await redis.command('HMGET', k.items, ...ITEMS)) as string[];
  assert.deepEqual(
    left.map(Number),
    ITEMS.map((item) => reference.left(item)),
  );
  const members = (await redis.command('ZRANGE', k.free, '0', '-1')) as string[];
  for (const [i, item] of ITEMS.entries()) {
    const free = members.flatMap((each) => (each.startsWith(`${item}@`) ? Number(each.split('@')[1]) : []));
    const below = Array.from({ length: Number(left[i]) - free.length }, (_, unit) => unit);
    const units = [...below, ...free].sort((a, b) => a - b);
    assert.deepEqual(
      units,
      [...(reference.shelf.get(item) ?? [])].sort((a, b) => a - b),
      `units of ${item}`,
    );
  }
  for (const user of USERS) {
    const cart = reference.carts.get(user);
    const words = cart?.lines.map(({ item, quantity }) => (quantity === 1 ? item : `${item}*${quantity}`));
    const text = words && `${[cart?.code, ...words].join(' ')} `;
    assert.equal(await redis.command('HGET', k.carts, user), text ?? null, `the cart of ${user}`);
    assert.equal(Number(await redis.command('HGET', k.bought, user)), reference.bought.get(user) ?? 0);
  }
  const counted = ['sold', 'gone', 'free', 'carts'];
  const state = ((await redis.command('HMGET', k.sale, ...counted)) as string[]).map(Number);
  const onShelf = ITEMS.reduce((sum, item) => sum + reference.left(item), 0);
  const gone = ITEMS.filter((item) => reference.left(item) === 0).length;
  assert.deepEqual(state, [sale.total - onShelf, gone, members.length, reference.carts.size]);
}

interface Run {
  readonly sale: TestSale;
  readonly reference: Reference;
  /** Given out so far, the newest last. */
  readonly codes: string[];
  /** What was bought with each line and has not come back. */
  readonly held: { readonly code: string; readonly user: string; readonly item: string; units: number[] }[];
  returned: number;
}

async function checkOut({ sale, reference, codes }: Run, ops: readonly Op[]): Promise<void> {
  const checkouts = createCheckouts(redis, () => sale);
  const results = await Promise.all(
    ops.map(({ user, item, quantity }) => checkouts.add({ userId: user, itemId: item, quantity })),
  );
  // A batch of which nothing can succeed is answered as one, without looking at carts.
  const isWhole = reference.isSoldOut && ops.every(({ quantity }) => quantity !== 0);
  for (const [i, { outcome, lines, code }] of results.entries()) {
    const asked = ops[i] as Op;
    // The reference learns the code of a new cart from the script, and holds it to it.
    const expected = reference.checkOut(asked, code);
    assert.deepEqual({ outcome, lines: isWhole ? expected.lines : lines }, expected);
    if (outcome !== 'added' && outcome !== 'already-in-cart') continue;
    assert.equal(code, reference.carts.get(asked.user)?.code);
    if (!codes.includes(code)) codes.push(code);
  }
}

async function purchase({ sale, reference, codes, held }: Run, backs: readonly number[]): Promise<void> {
  const posted = [...new Set(backs.flatMap((back) => codes.at(-1 - back) ?? []))];
  if (posted.length === 0) return;
  const { results } = await decideCodes(redis, sale, posted);
  for (const [i, result] of results.entries()) {
    if (result.outcome === 'decided-before') continue;
    const lines = 'decision' in result ? result.decision.lines : [];
    const expected = reference.buy(posted[i] as string, (line) => unitsOf(lines[line] as string));
    assert.equal(result.outcome, typeof expected === 'string' ? expected : 'decided');
    if (typeof expected === 'string') continue;
    const told = lines.map((line) => [line[0], itemOf(line), unitsOf(line).length]);
    const right = expected.map(({ item, quantity, units: { length } }) =>
      length > 0 ? ['+', item, quantity] : ['-', item, 0],
    );
    assert.deepEqual(told, right);
    const names = expected.map(({ item }) => `The ${item}`);
    assert.deepEqual('names' in result && result.names, names);
    const user = 'decision' in result ? result.decision.userId : '';
    for (const { item, units } of expected)
      if (units.length > 0) held.push({ code: posted[i] as string, user, item, units: [...units] });
  }
}

/** Gives back some units of some lines; the same batch once more changes nothing. */
async function giveBack(run: Run, asked: readonly Back[]): Promise<void> {
  const { sale, reference, held } = run;
  const k = keysOf(sale.id);
  const args: string[] = [];
  for (const { line, units: count, restocked } of asked) {
    const from = held[line];
    const units = from?.units.splice(0, count) ?? [];
    if (from === undefined || units.length === 0) continue;
    reference.giveBack(from.user, from.item, units, restocked);
    args.push(
      String(++run.returned),
      `${from.code} cancelled ${Number(restocked)} 1 ${from.item}@${units.join()}\t`,
    );
  }
  const keys = [k.gate, k.sale, k.items, k.bought, k.decisions, k.free, k.returns];
  for (let again = 0; again < 2; again++) {
    const reply = await redis.run(shelve, keys, [`v1:${sale.epoch}`, SOLD_CHANNEL, sale.id, ...args]);
    assert.equal(reply, run.returned);
  }
}

async function hold({ sale, reference }: Run, user: string): Promise<void> {
  reference.bought.set(user, (reference.bought.get(user) ?? 0) + 1);
  const held = await redis.command('HINCRBY', keysOf(sale.id).bought, user, '1');
  if (held === 1) await redis.command('HINCRBY', keysOf(sale.id).sale, 'buyers', '1');
}

test('random batches of checkouts and purchases do what a simple reference does', async () => {
  const events: SoldEvent[] = [];
  await redis.subscribe(
    SOLD_CHANNEL,
    (message) => void events.push(parseSoldEvent(message) as SoldEvent),
    () => {},
  );
  const property = fc.asyncProperty(script, async ({ limit, shelves, steps }) => {
    const run: Run = { ...(await openShelves(limit, shelves)), codes: [], held: [], returned: 0 };
    const { sale, reference } = run;
    const emptied: string[] = [];
    const backs: string[] = [];
    for (const each of steps) {
      const before = ITEMS.filter((item) => reference.left(item) > 0);
      if ('checkouts' in each) await checkOut(run, each.checkouts);
      else if ('purchases' in each) await purchase(run, each.purchases);
      else if ('returns' in each) await giveBack(run, each.returns);
      else await hold(run, each.holds);
      emptied.push(...before.filter((item) => reference.left(item) === 0));
      backs.push(...ITEMS.filter((item) => reference.left(item) > 0 && !before.includes(item)));
      await compare(sale, reference);
    }
    const own = () => events.filter(({ saleId }) => saleId === sale.id);
    const heard = () => own().flatMap(({ itemIds }) => itemIds);
    const heardBack = () => own().flatMap(({ backIds }) => backIds);
    await until(
      'the events',
      async () => heard().length + heardBack().length >= emptied.length + backs.length,
    );
    assert.deepEqual(heard().sort(), emptied.sort(), 'an item is told once nothing of it is left');
    assert.deepEqual(heardBack().sort(), backs.sort(), 'and when it is back');
    const [counted] = own().slice(-1);
    const gone = ITEMS.filter((item) => reference.left(item) === 0).length;
    if (counted) assert.equal(counted.gone, gone);
    events.length = 0;
  });
  await fc.assert(property, { numRuns: 150 });
});

test('many carts of one item in one batch get units of their own, and the last ones nothing', async () => {
  const sale = await openSale(stores, {
    ...{ items: 1_000, limit: 10 },
    named: [{ id: 'hot', name: 'Hot', stock: 1_000 }],
  });
  const checkouts = createCheckouts(redis, () => sale);
  const carts = await Promise.all(
    Array.from({ length: 255 }, (_, i) => checkouts.add({ userId: `u${i}`, itemId: 'hot', quantity: 4 })),
  );
  const { results } = await decideCodes(
    redis,
    sale,
    carts.map(({ code }) => code),
  );
  const lines = results.flatMap((result) => ('decision' in result ? result.decision.lines : []));
  assert.equal(new Set(lines.flatMap(unitsOf)).size, 1_000);
  assert.deepEqual([lines[0], lines.at(249), lines.at(250)], ['+hot@996-999', '+hot@0-3', '-hot*4']);
  assert.equal(await redis.command('HGET', keysOf(sale.id).items, 'hot'), '0');
});
