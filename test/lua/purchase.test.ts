import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCheckouts } from '../../src/store/checkouts.ts';
import { type Decided, decideCodes } from '../../src/store/decide.ts';
import { Fenced, Unavailable } from '../../src/store/errors.ts';
import { keysOf, SOLD_CHANNEL } from '../../src/store/keys.ts';
import { until } from '../support/processes.ts';
import { foreignGateOf, gateOf, openSale, openStores, type TestSale } from '../support/stores.ts';

const stores = await openStores();
const { redis } = stores;

/** A cart with these items; returns its code. */
async function cart(sale: TestSale, userId: string, ...items: string[]): Promise<string> {
  const checkouts = createCheckouts(redis, () => sale);
  const results = await Promise.all(items.map((itemId) => checkouts.add({ userId, itemId })));
  assert.ok(
    results.every(({ outcome }) => outcome === 'added'),
    JSON.stringify(results),
  );
  return results[0]!.code;
}
const decide = async (sale: TestSale, ...codes: string[]) => {
  const { entryId, results } = await decideCodes(redis, sale, codes);
  return { entryId, results, outcomes: results.map(({ outcome }) => outcome) };
};
const linesOf = (result: unknown) => (result as Decided).decision.lines;
/** Everything a purchase may change, but the sale's carts and codes. */
async function stateOf(sale: TestSale) {
  const k = keysOf(sale.id);
  return {
    items: await redis.command('HGETALL', k.items),
    sold: await redis.command('HGET', k.sale, 'sold'),
    bought: await redis.command('HGETALL', k.bought),
    decisions: await redis.command('HGETALL', k.decisions),
    outbox: await redis.command('XLEN', k.outbox),
  };
}

test('a decision sells the lines of the cart, in their order, and spends code and cart', async () => {
  const sale = await openSale(stores);
  const k = keysOf(sale.id);
  const [b = '', a = ''] = sale.itemIds;
  const code = await cart(sale, 'ada', a, b);
  const before = Date.now();
  const { entryId, results } = await decide(sale, code);
  const { outcome, decision, names } = results[0] as Decided;
  assert.equal(outcome, 'decided');
  assert.deepEqual([decision.code, decision.saleId, decision.userId], [code, sale.id, 'ada']);
  assert.deepEqual(decision.lines, [`+${a}`, `+${b}`]);
  assert.ok(decision.decidedMs >= before - 1 && decision.decidedMs <= Date.now() + 1);
  assert.deepEqual(names, await redis.command('HMGET', k.names, a, b));
  assert.deepEqual(await redis.command('HMGET', k.items, a, b, sale.itemIds[2]!), ['0', '0', '1']);
  assert.deepEqual(await redis.command('HMGET', k.bought, 'ada'), ['2']);
  assert.equal(await redis.command('HGET', k.sale, 'sold'), '2');
  assert.equal(await redis.command('EXISTS', k.carts, k.codes), 0);
  const text = `${decision.decidedMs} ada +${a} +${b}`;
  assert.equal(await redis.command('HGET', k.decisions, code), text);
  const [[id, fields]] = (await redis.command('XRANGE', k.outbox, '-', '+')) as [[string, string[]]];
  assert.equal(id, entryId);
  assert.deepEqual(fields, ['epoch', String(sale.epoch), code, text]);
});

test('a code that was decided keeps its decision, and changes nothing again', async () => {
  const sale = await openSale(stores);
  const code = await cart(sale, 'ada', ...sale.itemIds.slice(0, 2));
  const first = await decide(sale, code);
  const state = await stateOf(sale);
  const second = await decide(sale, code);
  assert.deepEqual([second.outcomes, second.entryId], [['decided-before'], '']);
  const [was, is] = [first.results[0] as Decided, second.results[0] as Decided];
  assert.deepEqual([is.decision, is.names], [was.decision, was.names]);
  assert.deepEqual(await stateOf(sale), state);
});

test('of two carts with one item in one batch, the first code gets it', async () => {
  const sale = await openSale(stores);
  const [wanted = '', other = ''] = sale.itemIds;
  const [first, second] = [await cart(sale, 'ada', wanted), await cart(sale, 'bob', wanted, other)];
  const { results } = await decide(sale, first, second);
  assert.deepEqual(results.map(linesOf), [[`+${wanted}`], [`-${wanted}`, `+${other}`]]);
  assert.deepEqual(await redis.command('HMGET', keysOf(sale.id).bought, 'ada', 'bob'), ['1', '1']);
});

test('a cart of which everything is sold is decided as lost, and costs the user nothing of the limit', async () => {
  const sale = await openSale(stores);
  const [item = ''] = sale.itemIds;
  const late = await cart(sale, 'bob', item);
  await decide(sale, await cart(sale, 'ada', item));
  const { results, entryId } = await decide(sale, late);
  assert.deepEqual(linesOf(results[0]), [`-${item}`]);
  assert.notEqual(entryId, '', 'it is remembered as any other decision');
  assert.equal(await redis.command('HGET', keysOf(sale.id).bought, 'bob'), null);
  assert.equal(await redis.command('HGET', keysOf(sale.id).sale, 'sold'), '1');
  assert.deepEqual((await decide(sale, late)).outcomes, ['decided-before']);
});

test('lines past the limit are lost; a user at the limit is refused, and the cart stays', async () => {
  const sale = await openSale(stores, { limit: 3 });
  const k = keysOf(sale.id);
  const [a = '', b = ''] = sale.itemIds;
  const code = await cart(sale, 'ada', a, b);
  // Only a Redis with old carts comes to this.
  await redis.command('HSET', k.bought, 'ada', '3');
  await redis.command('HSET', k.sale, 'buyers', '1');
  const before = await stateOf(sale);
  const refused = await decide(sale, code);
  assert.deepEqual([refused.outcomes, refused.entryId], [['limit'], '']);
  assert.deepEqual(await stateOf(sale), before);
  await redis.command('HSET', k.bought, 'ada', '2');
  assert.deepEqual(linesOf((await decide(sale, code)).results[0]), [`+${a}`, `-${b}`]);
  assert.equal(await redis.command('HGET', k.bought, 'ada'), '3');
  assert.equal(await redis.command('HGET', k.items, b), '1', 'still for sale');
});

test('an item that is lost is not lost to somebody else: nobody is let in, and nothing changes', async () => {
  const sale = await openSale(stores);
  const { items } = keysOf(sale.id);
  const [lost = '', item = ''] = sale.itemIds;
  const code = await cart(sale, 'ada', lost, item);
  await redis.command('HDEL', items, lost);
  const before = await stateOf(sale);
  await assert.rejects(decide(sale, code), Fenced);
  assert.deepEqual(await stateOf(sale), before);
  // As many items as the sale has, and this is none of them: a Postgres that came back older does not know it.
  await redis.command('HSET', items, 'another', '1');
  assert.deepEqual(linesOf((await decide(sale, code)).results[0]), [`-${lost}`, `+${item}`]);
});

test('unknown codes, and a code without its cart, are no codes, beside others that are', async () => {
  const sale = await openSale(stores);
  const code = await cart(sale, 'ada', sale.itemIds[0]!);
  const orphan = await cart(sale, 'bob', sale.itemIds[1]!);
  await redis.command('HDEL', keysOf(sale.id).carts, 'bob');
  const { outcomes } = await decide(sale, 'CHK-nonsense', code, orphan);
  assert.deepEqual(outcomes, ['no-code', 'decided', 'no-code']);
});

test('a full batch is decided in one outbox entry, in the order of its codes', async () => {
  const sale = await openSale(stores, { items: 512 });
  const codes: string[] = [];
  for (let i = 0; i < 256; i++)
    codes.push(await cart(sale, `u${i}`, sale.itemIds[2 * i]!, sale.itemIds[2 * i + 1]!));
  const { results } = await decide(sale, ...codes);
  assert.deepEqual(
    results.map((result) => [(result as Decided).decision.userId, ...linesOf(result)]),
    codes.map((_, i) => [`u${i}`, `+${sale.itemIds[2 * i]}`, `+${sale.itemIds[2 * i + 1]}`]),
  );
  const k = keysOf(sale.id);
  assert.equal(await redis.command('XLEN', k.outbox), 1);
  assert.equal(await redis.command('HLEN', k.decisions), 256);
  assert.equal(await redis.command('HGET', k.sale, 'sold'), '512');
});

test('a full batch of the largest carts is decided', async () => {
  const sale = await openSale(stores, { items: 1_000, limit: 100 });
  const codes: string[] = [];
  for (let i = 0; i < 256; i++) {
    const from = (i * 100) % 1_000;
    codes.push(await cart(sale, `u${i}`, ...sale.itemIds.slice(from, from + 100)));
  }
  const { outcomes, results } = await decide(sale, ...codes);
  assert.ok(outcomes.every((outcome) => outcome === 'decided'));
  assert.equal(results.flatMap(linesOf).filter((line) => line.startsWith('+')).length, 1_000);
  assert.equal(await redis.command('HGET', keysOf(sale.id).sale, 'sold'), '1000');
});

test('where what users have bought, decisions or free units are lost, nothing is decided: nobody gets past the limit', async () => {
  const sale = await openSale(stores, { limit: 3 });
  const [first = '', second = '', third = ''] = sale.itemIds;
  await decide(sale, await cart(sale, 'ada', first, second));
  const code = await cart(sale, 'ada', third);
  const { bought, decisions, items } = keysOf(sale.id);
  const left = await redis.command('HGETALL', items);
  for (const key of [bought, decisions]) {
    await redis.command('RENAME', key, `${key}-lost`);
    await assert.rejects(decide(sale, code), Fenced);
    await redis.command('RENAME', `${key}-lost`, key);
  }
  await redis.command('HSET', keysOf(sale.id).sale, 'free', '1');
  await assert.rejects(decide(sale, code), Fenced);
  await redis.command('HSET', keysOf(sale.id).sale, 'free', '0');
  assert.deepEqual(await redis.command('HGETALL', items), left);
  assert.deepEqual((await decide(sale, code)).outcomes, ['decided']);
});

test('what is sold is told once per batch with the number sold by then; lost carts are not', async () => {
  const sale = await openSale(stores);
  const heard: string[] = [];
  await redis.subscribe(
    SOLD_CHANNEL,
    (message) => void heard.push(message),
    () => {},
  );
  const [a = '', b = '', c = ''] = sale.itemIds;
  const codes = [await cart(sale, 'ada', a), await cart(sale, 'bob', a, b), await cart(sale, 'cleo', a)];
  const last = await cart(sale, 'dora', c);
  await decide(sale, ...codes.slice(0, 2));
  await decide(sale, codes[2]!);
  await decide(sale, ...codes);
  await decide(sale, last);
  await until('the last message', () => heard.length >= 2);
  assert.deepEqual(heard, [`${sale.id} ${sale.epoch} 2 2 ${a} ${b}`, `${sale.id} ${sale.epoch} 3 3 ${c}`]);
});

test("Redis' own time closes a sale; what was decided before is still answered", async () => {
  const sale = await openSale(stores, { endsIn: 700 });
  const [a = '', b = ''] = sale.itemIds;
  const [early, late] = [await cart(sale, 'ada', a), await cart(sale, 'bob', b)];
  await decide(sale, early);
  await until('the end', async () => {
    const [time] = (await redis.command('TIME')) as string[];
    return Number(time) * 1_000 > sale.endsAtMs;
  });
  const state = await stateOf(sale);
  const { outcomes, entryId } = await decide(sale, early, late, 'CHK-nonsense');
  assert.deepEqual([outcomes, entryId], [['decided-before', 'ended', 'no-code'], '']);
  assert.deepEqual(await stateOf(sale), state);
  assert.equal(await redis.command('HEXISTS', keysOf(sale.id).codes, late), 1);
});

test('a code from before the beginning is refused until the sale begins', async () => {
  const sale = await openSale(stores);
  const k = keysOf(sale.id);
  const code = await cart(sale, 'ada', sale.itemIds[0]!);
  const [time] = (await redis.command('TIME')) as string[];
  await redis.command('HSET', k.sale, 'starts_ms', String((Number(time) + 1) * 1_000));
  assert.deepEqual((await decide(sale, code)).outcomes, ['not-begun']);
  await until('the beginning', async () => (await decide(sale, code)).outcomes[0] === 'decided');
});

test('another epoch, another Redis process, a shut gate, no gate and no sale are fenced, and nothing is decided', async () => {
  const sale = await openSale(stores);
  const k = keysOf(sale.id);
  const code = await cart(sale, 'ada', sale.itemIds[0]!);
  const open = await gateOf(redis, sale.epoch);
  const before = await stateOf(sale);
  await assert.rejects(decide({ ...sale, epoch: sale.epoch - 1 }, code), Unavailable);
  for (const gate of [foreignGateOf(sale.epoch), `loading:${open}`]) {
    await redis.command('SET', k.gate, gate);
    await assert.rejects(decide(sale, code), Unavailable);
  }
  await redis.command('DEL', k.gate);
  await assert.rejects(decide(sale, code), Unavailable);
  assert.deepEqual(await stateOf(sale), before);
  await redis.command('SET', k.gate, open);
  await redis.command('RENAME', k.sale, `${k.sale}:away`);
  await assert.rejects(decide(sale, code), Unavailable);
  await redis.command('RENAME', `${k.sale}:away`, k.sale);
  assert.deepEqual((await decide(sale, code)).outcomes, ['decided']);
});
