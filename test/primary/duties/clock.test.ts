import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { keysOf } from '../../../src/store/keys.ts';
import { until } from '../../support/processes.ts';
import { startService } from '../../support/service.ts';
import { addShelf, checkout, inSeconds } from '../../support/shop.ts';
import { openStores } from '../../support/stores.ts';

const stores = await openStores();

/** Every process of the box reads a clock that is wrong by so much. */
const wrongBy = (ms: number) => ({
  NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(`
    const Right = Date;
    globalThis.Date = class extends Right {
      constructor(...parts) { if (parts.length > 0) super(...parts); else super(Right.now() + ${ms}); }
      static now() { return Right.now() + ${ms}; }
    };`)}`,
});
const urls = { REDIS_URL: stores.redisUrl, DATABASE_URL: stores.databaseUrl, HOURLY_SALES: 'off' };

test('a leader whose clock is an hour fast retires no open sale, and loads it again when Redis is emptied', async () => {
  const leader = await startService({ ...urls, ...wrongBy(3_600_000) });
  assert.match((await leader.http.get('/metrics')).text, /^flashsale_leader 1$/m);
  const box = await startService(urls);
  const { sale, items } = await addShelf(box.http, { total_items: 3, ended_at: inSeconds(600) });
  const [a, b] = items as [string, string];
  await until('it sells', async () => (await checkout(box.http, 'ada', a, sale)).status === 200);
  // Its keys would go with the next look of the retirer.
  await sleep(5_000);
  assert.equal(await stores.redis.command('EXISTS', keysOf(sale).gate), 1);
  await stores.redis.command('FLUSHALL');
  await until('it sells again', async () => (await checkout(box.http, 'bob', b, sale)).status === 200);
  assert.deepEqual(await stores.sql('select retired from sales where id = $1', sale), [{ retired: false }]);
  await box.stop();
  await leader.stop();
});
