import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startRedisCluster } from '../../campaigns/faults/redis-cluster.ts';
import { atEnd } from '../support/at-end.ts';
import { until } from '../support/processes.ts';
import { startService } from '../support/service.ts';
import { addShelf, assertProblem, checkout, fillCart, purchase, type Shelf } from '../support/shop.ts';
import { temporaryDir } from '../support/stores.ts';

const cluster = await startRedisCluster(temporaryDir(), false);
atEnd(cluster.stop);
const service = await startService({ REDIS_URL: cluster.url, HOURLY_SALES: 'off' });
const { http } = service;

test('with one master of a Cluster away its sales are 503, the others sell on, and /readyz says which', async () => {
  const lost = await addShelf(http, { total_items: 20 });
  const node = await cluster.masterOf(lost.sale);
  let kept: Shelf;
  do kept = await addShelf(http, { total_items: 20 });
  while ((await cluster.masterOf(kept.sale)).port === node.port);
  const ready = async () => (await http.get('/readyz')).body;
  await until('both sell', async () => {
    const replies = [lost, kept].map(({ sale, items }) => checkout(http, 'ada', items[0]!, sale));
    return (await Promise.all(replies)).every(({ status }) => status === 200);
  });
  const checks = { redis: true, postgres: true, gate: true, serving: true };
  assert.deepEqual(await ready(), { status: 'ready', checks });

  await node.kill();
  await until('it is known to be away', async () => 'sales_away' in (await ready()));
  assertProblem(await checkout(http, 'bob', lost.items[1]!, lost.sale), 503, 'unavailable');
  assert.equal((await purchase(http, await fillCart(http, 'bob', [kept.items[1]!], kept.sale))).status, 200);
  const { sales_away: away, ...others } = await ready();
  assert.deepEqual(others, { status: 'ready', checks });
  assert.ok(away.includes(lost.sale) && !away.includes(kept.sale), String(away));
  const dependency = /^flashsale_dependency_up\{dependency="redis"\} 0$/m;
  await until('a gauge says so', async () => dependency.test((await http.get('/metrics')).text));

  await node.start();
  await until(
    'it sells again',
    async () => (await checkout(http, 'bob', lost.items[1]!, lost.sale)).status === 200,
  );
  await until('nothing is away', async () => !('sales_away' in (await ready())));
  // One more turn: the sold channel of both is heard by this worker again.
  assert.equal((await purchase(http, await fillCart(http, 'cleo', [lost.items[2]!], lost.sale))).status, 200);
  assertProblem(await checkout(http, 'dan', lost.items[2]!, lost.sale), 409, 'item_already_sold');
  await service.stop();
});
