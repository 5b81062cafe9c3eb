import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { auditSale } from '../../src/store/audit/audit.ts';
import { decideCodes } from '../../src/store/decide.ts';
import { keysOf } from '../../src/store/keys.ts';
import { statement } from '../../src/store/postgres.ts';
import { rebuildSale } from '../../src/store/rebuild.ts';
import { readLiveSales } from '../../src/store/sales.ts';
import { carrySale, changeSale, holdSale, type StoredSale } from '../../src/store/switch.ts';
import { until } from '../support/processes.ts';
import { openSale, openStores, type TestSale } from '../support/stores.ts';

const stores = await openStores();
const { redis, postgres, sql } = stores;

/** Changes the facts in Postgres only, as a worker that dies right then. */
async function change(id: string, facts: Partial<StoredSale>): Promise<StoredSale> {
  const changed = await changeSale<never>(
    redis,
    postgres,
    id,
    (sale) => ({ facts: { ...sale, ...facts } }),
    true,
  );
  assert.ok(changed && !('refused' in changed));
  return changed;
}
const hashOf = async (sale: Pick<TestSale, 'id'>) => {
  const fields = ['version', 'paused', 'limit', 'starts_ms', 'ends_ms'];
  return ((await redis.command('HMGET', keysOf(sale.id).sale, ...fields)) as string[]).map(Number);
};
const factsOf = ({ version, paused, userLimit, startsAtMs, endsAtMs }: StoredSale) => [
  version,
  Number(paused),
  userLimit,
  startsAtMs,
  endsAtMs,
];
const liveSale = async (id: string) => (await readLiveSales(postgres)).find((sale) => sale.id === id)!;

test('a change is in Postgres first, and in Redis when it is held', async () => {
  const sale = await openSale(stores);
  const before = await hashOf(sale);
  const changed = await change(sale.id, { paused: true, userLimit: 11, endsAtMs: sale.endsAtMs + 5_000 });
  assert.equal(changed.version, 2);
  assert.deepEqual(await hashOf(sale), before);
  await holdSale(redis, postgres, changed);
  assert.deepEqual(await hashOf(sale), factsOf(changed));
  assert.deepEqual(await auditSale(redis, postgres, sale.id), []);
});

test('an older change that comes late changes nothing', async () => {
  const sale = await openSale(stores);
  const older = await change(sale.id, { paused: true });
  const newer = await change(sale.id, { paused: false, userLimit: 12 });
  await holdSale(redis, postgres, newer);
  await holdSale(redis, postgres, older);
  assert.deepEqual(await hashOf(sale), factsOf(newer));
});

test('of two changes at once none is lost', async () => {
  const sale = await openSale(stores);
  await Promise.all(
    [20, 30, 40].map((userLimit) =>
      changeSale<never>(
        redis,
        postgres,
        sale.id,
        (read) => ({
          facts: { ...read, userLimit: read.userLimit + userLimit },
        }),
        true,
      ),
    ),
  );
  const { userLimit, version } = await liveSale(sale.id);
  assert.deepEqual([userLimit, version], [sale.userLimit + 90, 4]);
});

test('the leader carries on what its author could not', async () => {
  const sale = await openSale(stores);
  const changed = await change(sale.id, { paused: true });
  await carrySale(redis, postgres, await liveSale(sale.id));
  assert.deepEqual(await hashOf(sale), factsOf(changed));
});

test('a Postgres that came back older outranks what Redis holds', async () => {
  const sale = await openSale(stores);
  for (let i = 0; i < 3; i++) await holdSale(redis, postgres, await change(sale.id, { paused: i % 2 === 0 }));
  await sql('update sales set paused = false, version = 1 where id = $1', sale.id);
  await carrySale(redis, postgres, await liveSale(sale.id));
  await carrySale(redis, postgres, await liveSale(sale.id));
  const [version, paused] = await hashOf(sale);
  assert.deepEqual([version, paused], [5, 0]);
});

test('a change of a Postgres that came back older holds when it is answered, whatever version Redis has', async () => {
  for (const before of [1, 2, 4]) {
    const sale = await openSale(stores);
    for (let i = 0; i < before; i++)
      await holdSale(redis, postgres, await change(sale.id, { paused: false }));
    await sql('update sales set version = 1 where id = $1', sale.id);
    await holdSale(redis, postgres, await change(sale.id, { paused: true, userLimit: 40 }));
    const [version, paused, limit] = await hashOf(sale);
    assert.deepEqual([paused, limit], [1, 40], `after ${before} changes`);
    assert.equal(version, (await liveSale(sale.id)).version);
  }
});

test('a rebuild opens with the facts as they are behind the shut gate, not as it has found them', async () => {
  const sale = await openSale(stores, { items: 2_000 });
  // Postgres answers the first question of the rebuild, and then the sale is paused, in Redis too, before its gate is shut.
  let paused: Promise<unknown> | undefined;
  const slow = {
    ...redis,
    get isUp() {
      return redis.isUp;
    },
    run: async (...args: Parameters<typeof redis.run>) => {
      paused ??= change(sale.id, { paused: true }).then((changed) =>
        holdSale(redis, postgres, { ...changed, epoch: sale.epoch }),
      );
      await paused;
      return redis.run(...args);
    },
  };
  const rebuilt = await rebuildSale(slow, postgres, sale.id, assert.fail);
  assert.deepEqual((await hashOf(sale)).slice(0, 2), [2, 1]);
  const [code] = ['CHK-'.concat(sale.id, '-', '0'.repeat(32))];
  await redis.command('HSET', keysOf(sale.id).codes, code!, 'ada');
  const { results } = await decideCodes(redis, { ...sale, epoch: rebuilt!.epoch }, [code!]);
  assert.deepEqual(results, [{ outcome: 'paused' }]);
});

test('a change waits for a rebuild under way, and then holds', async () => {
  const sale = await openSale(stores, { items: 3_000 });
  const rebuilding = rebuildSale(redis, postgres, sale.id, assert.fail);
  const changed = await change(sale.id, { userLimit: 50 });
  await Promise.all([rebuilding, holdSale(redis, postgres, changed)]);
  assert.deepEqual(await hashOf(sale), factsOf(changed));
});

test('a hash of an older release, which knows no version, is brought to the facts', async () => {
  const sale = await openSale(stores);
  await redis.command('HDEL', keysOf(sale.id).sale, 'version', 'paused');
  await carrySale(redis, postgres, await liveSale(sale.id));
  assert.deepEqual((await hashOf(sale)).slice(0, 2), [1, 0]);
});

test('a change gets its turn while commits never cease', async () => {
  const sale = await openSale(stores);
  const { text } = statement('commit_purchases');
  let [isOver, commits] = [false, 0];
  // Each holds the sale for a while, as a commit does until its WAL is written: there is no moment without one.
  const commitOn = async (_: unknown, i: number) => {
    await sleep(i * 5);
    while (!isOver)
      await postgres.transaction('sales', async (client) => {
        const { rows } = await client.query(text, [sale.id, sale.epoch, [], [], [], [], false]);
        assert.equal(rows.length, 1);
        await client.query('select pg_sleep(0.03)');
        commits++;
      });
  };
  const committing = Array.from({ length: 6 }, commitOn);
  await until('they commit', () => commits > 20);
  const paused = await change(sale.id, { paused: true });
  isOver = true;
  await Promise.all(committing);
  assert.equal(paused.paused, true);
});
