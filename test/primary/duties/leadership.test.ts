import assert from 'node:assert/strict';
import { connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { keysOf } from '../../../src/store/keys.ts';
import { atEnd } from '../../support/at-end.ts';
import { signalAll, treeOf, until } from '../../support/processes.ts';
import { freePort, type Service, startService } from '../../support/service.ts';
import { addShelf, checkout } from '../../support/shop.ts';
import { openStores } from '../../support/stores.ts';

const stores = await openStores();

/** A way to Redis that can be cut, and opened again. */
async function createWay() {
  const { port, password } = new URL(stores.redisUrl);
  const open = new Set<Socket>();
  let isCut = false;
  const server = createServer((near) => {
    if (isCut) return near.destroy();
    const far = connect(Number(port), '127.0.0.1');
    open.add(near);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const)
      from.pipe(to).on('error', () => from.destroy());
    for (const [end, other] of [
      [near, far],
      [far, near],
    ] as const)
      end.on('error', () => {}).on('close', () => other.destroy());
  });
  const own = await freePort();
  await new Promise<void>((resolve) => server.listen(own, '127.0.0.1', resolve));
  atEnd(() => server.close());
  return {
    url: `redis://:${password}@127.0.0.1:${own}`,
    cut() {
      isCut = true;
      for (const socket of open) socket.destroy();
    },
    mend() {
      isCut = false;
    },
  };
}

interface Box {
  readonly leader: boolean;
  readonly workers: number;
  readonly silent_s: number;
}
const boxesOf = async (service: Service): Promise<Box[] | undefined> =>
  (await service.http.get('/health')).body.boxes;

const isLeader = async (service: Service) =>
  /^flashsale_leader 1$/m.test((await service.http.get('/metrics')).text);

test('a leader that cannot reach Redis gives way to a box that can, and the sale is rebuilt', async () => {
  const way = await createWay();
  const first = await startService({ REDIS_URL: way.url, DATABASE_URL: stores.databaseUrl });
  const second = await startService({ REDIS_URL: stores.redisUrl, DATABASE_URL: stores.databaseUrl });
  assert.deepEqual([await isLeader(first), await isLeader(second)], [true, false]);
  const { sale, items } = await addShelf(first.http, { total_items: 3 });
  await until(
    'the second box knows it',
    async () => (await checkout(second.http, 'ada', items[0]!, sale)).status === 200,
  );
  way.cut();
  await stores.redis.command('DEL', keysOf(sale).gate);
  await until('the second leads', () => isLeader(second));
  await until(
    'it sells again',
    async () => (await checkout(second.http, 'bob', items[1]!, sale)).status === 200,
  );
  assert.equal(await isLeader(first), false);
  way.mend();
  await until('the first is ready', async () => (await first.http.get('/readyz')).status === 200);
  assert.equal(await isLeader(first), false, 'who leads well goes on');

  // Both know both, by heartbeats in Postgres; a box that hangs loses its duties, and is missed.
  const leaders = async (service: Service) =>
    (await boxesOf(service))?.map(({ leader, workers }) => [leader, workers]);
  for (const [service, expected] of [
    [first, [false, true]],
    [second, [true, false]],
  ] as const)
    await until(
      'it knows both',
      async () => String(await leaders(service)) === `${expected[0]},1,${expected[1]},1`,
    );
  const hung = treeOf(second.child.pid!);
  atEnd(() => signalAll(hung, 'SIGCONT'));
  signalAll(hung, 'SIGSTOP');
  await until('the first leads', () => isLeader(first));
  await until('it is missed', async () =>
    (await boxesOf(first))!.some(({ silent_s: silent }) => silent >= 5),
  );
  signalAll(hung, 'SIGCONT');
  await until('it is heard again', async () =>
    (await boxesOf(first))!.every(({ silent_s: silent }) => silent < 3),
  );
  assert.deepEqual([await isLeader(first), await isLeader(second)], [true, false]);
  await first.stop();
  await until('the second leads again', () => isLeader(second));
  await until('a box that left is not listed', async () => (await boxesOf(second)) === undefined);
});
