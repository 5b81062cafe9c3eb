import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fenceOf, readDataset, tokenOf } from '../../src/store/fence.ts';
import { keysOf } from '../../src/store/keys.ts';
import { script } from '../../src/store/redis.ts';
import { foreignGateOf, openStores } from '../support/stores.ts';

const { redis } = await openStores();
const here = await readDataset(redis.command);
const token = tokenOf(2);
const scripts = {
  begin: script('rebuild_begin'),
  clear: script('rebuild_clear'),
  load: script('rebuild_load'),
  decisions: script('rebuild_decisions'),
  open: script('rebuild_open'),
};
let sales = 0;
/** The keys of a sale that no other test has. */
const newKeys = () => keysOf(`S-${String(sales++).padStart(10, '0')}`);
type Keys = ReturnType<typeof newKeys>;

const begin = (k: Keys, epoch: number) =>
  redis.run(scripts.begin, [k.gate, k.sale], [tokenOf(epoch), String(epoch)]);
const clear = (k: Keys, shown: string) =>
  redis.run(scripts.clear, [k.gate, k.sale, k.items, k.names, k.bought, k.decisions], [shown]);
const load = (k: Keys, hash: string, token: string, ...fields: string[]) =>
  redis.run(scripts.load, [k.gate, hash], [token, ...fields]);
const loadDecisions = (k: Keys, token: string, ...fields: string[]) =>
  redis.run(scripts.decisions, [k.gate, k.decisions, k.codes, k.carts], [token, ...fields]);
const open = (k: Keys, token: string, total: number) =>
  redis.run(
    scripts.open,
    [k.gate, k.sale, k.items, k.carts, k.codes, k.bought, k.decisions, k.outbox, k.free, k.returns],
    [token, fenceOf(2), '1', '2', String(total), '0', '10', String(total), '0', '7', '1'],
  );

test('begin shuts the gate of an older epoch, and says of which epoch the decisions are', async () => {
  const found: [string | undefined, string | undefined, unknown][] = [
    [`v1:1:${here}`, '1', [1, 0]],
    [`loading:v1:1:${here}`, undefined, [1, 0]],
    [`loading:v1:8:${here}`, '3', [3, 0]],
    [`doubted:v1:4:${here}`, '4', [4, 1]],
    [foreignGateOf(1), '1', [1, 0]],
    [undefined, '2', [2, 0]],
    ['9:run', undefined, [0, 0]],
    [undefined, undefined, [0, 0]],
  ];
  for (const [gate, epoch, answer] of found) {
    const k = newKeys();
    if (gate !== undefined) await redis.command('SET', k.gate, gate);
    if (epoch !== undefined) await redis.command('HSET', k.sale, 'epoch', epoch);
    assert.deepEqual(await begin(k, 9), answer, gate);
    assert.equal(await redis.command('GET', k.gate), `loading:v1:9:${here}`);
  }
});

test('clear takes away what Postgres rewrites; carts, codes and outbox stay', async () => {
  const k = newKeys();
  await begin(k, 2);
  for (const key of [k.sale, k.items, k.names, k.bought, k.decisions, k.carts, k.codes])
    await redis.command('HSET', key, 'a', '1');
  await redis.command('XADD', k.outbox, '*', 'a', '1');
  assert.equal(await clear(k, tokenOf(1)), -1);
  assert.equal(await redis.command('EXISTS', k.sale, k.items, k.names, k.bought, k.decisions), 5);
  assert.equal(await clear(k, token), 1);
  assert.equal(await redis.command('EXISTS', k.sale, k.items, k.names, k.bought, k.decisions), 0);
  assert.equal(await redis.command('EXISTS', k.carts, k.codes, k.outbox), 3);
});

test('begin is refused by a gate of the same or a newer epoch, open or loading, and clears nothing', async () => {
  for (const gate of [`v1:2:${here}`, foreignGateOf(3), `loading:v1:2:${here}`, `loading:v1:10:${here}`]) {
    const k = newKeys();
    await redis.command('SET', k.gate, gate);
    await redis.command('HSET', k.items, 'a', '1');
    assert.equal(await begin(k, 2), -1, gate);
    assert.equal(await redis.command('GET', k.gate), gate);
    assert.equal(await redis.command('EXISTS', k.items), 1);
  }
});

test('every later step is refused without the token of this rebuild, and writes nothing', async () => {
  for (const gate of [`loading:v1:3:${here}`, `loading:${foreignGateOf(2)}`, `v1:2:${here}`, undefined]) {
    const k = newKeys();
    if (gate !== undefined) await redis.command('SET', k.gate, gate);
    assert.equal(await load(k, k.items, token, 'a', '1'), -1);
    assert.equal(await loadDecisions(k, token, 'code', '1 ada +a'), -1);
    assert.equal(await open(k, token, 0), -1);
    assert.equal(await redis.command('EXISTS', k.items, k.decisions, k.sale), 0);
    assert.equal(await redis.command('GET', k.gate), gate ?? null);
  }
});

test('load writes fields into the hash it is given', async () => {
  const k = newKeys();
  await begin(k, 2);
  assert.equal(await load(k, k.items, token, 'a', '1', 'b', '0'), 1);
  assert.equal(await load(k, k.items, token, 'c', '1'), 1);
  assert.deepEqual(await redis.command('HMGET', k.items, 'a', 'b', 'c'), ['1', '0', '1']);
});

test('a step of 1,000 rows fits into one call', async () => {
  const k = newKeys();
  await begin(k, 2);
  const fields = Array.from({ length: 1_000 }, (_, i) => [`item${i}`, '1']).flat();
  assert.equal(await load(k, k.items, token, ...fields), 1);
  const decisions = Array.from({ length: 1_000 }, (_, i) => [`code${i}`, `1 user${i} +item${i}`]).flat();
  assert.equal(await loadDecisions(k, token, ...decisions), 1);
  assert.deepEqual(
    [await redis.command('HLEN', k.items), await redis.command('HLEN', k.decisions)],
    [1_000, 1_000],
  );
});

test('a decision takes away the code and the cart that it has spent, and no other', async () => {
  const k = newKeys();
  await begin(k, 2);
  await redis.command('HSET', k.codes, 'code1', 'ada', 'code2', 'bob', 'code3', 'bob');
  await redis.command('HSET', k.carts, 'ada', 'code1 a ', 'bob', 'code3 b ');
  assert.equal(
    await loadDecisions(k, token, 'code1', '1 ada +a', 'code2', '2 bob -b', 'code4', '3 cleo +c'),
    1,
  );
  assert.deepEqual(await redis.command('HMGET', k.decisions, 'code1', 'code2', 'code4'), [
    '1 ada +a',
    '2 bob -b',
    '3 cleo +c',
  ]);
  assert.deepEqual(await redis.command('HKEYS', k.codes), ['code3']);
  assert.deepEqual(await redis.command('HKEYS', k.carts), ['bob']);
});

test('open writes the sale and lets the new fence in, only when every item is there', async () => {
  const k = newKeys();
  await begin(k, 2);
  await load(k, k.items, token, 'a', '1', 'b', '0');
  for (const total of [1, 3]) assert.equal(await open(k, token, total), -2);
  assert.equal(await redis.command('EXISTS', k.sale), 0);
  assert.equal(await redis.command('GET', k.gate), `${token}:${here}`);
  assert.equal(await open(k, token, 2), 1);
  assert.equal(await redis.command('GET', k.gate), `v1:2:${here}`);
  const fields = ['epoch', 'starts_ms', 'ends_ms', 'total', 'sold', 'limit', 'version', 'paused'];
  const written = await redis.command('HMGET', k.sale, ...fields);
  assert.deepEqual(written, ['2', '1', '2', '2', '0', '10', '7', '1']);
  assert.equal(await open(k, token, 2), -1, 'once');
});
