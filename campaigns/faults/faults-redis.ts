import { setTimeout as sleep } from 'node:timers/promises';
import { withRedis } from './dumps.ts';
import type { Fault, FaultContext } from './faults.ts';
import { newAgent } from './http.ts';
import { checkout, purchase } from './operations.ts';
import { signalTo } from './processes.ts';
import { restartRedis } from './stand.ts';
import { appendOnlyFile, cutFile, type OwnedStores } from './stores.ts';

/** SIGKILL, and the last second of the append-only file never reached the disk. */
async function killOld({ stand, random, clock }: FaultContext): Promise<void> {
  const stores = stand.stores as OwnedStores;
  // What the file was a while ago; it only grows.
  const { bytes: before } = appendOnlyFile(stores.appendOnlyDir);
  await sleep(random.between(100, 1_000));
  clock();
  await restartRedis(stand, () => {
    const { path, bytes } = appendOnlyFile(stores.appendOnlyDir);
    // Sometimes in the middle of a transaction.
    cutFile(path, Math.min(bytes, before + (random.chance(0.5) ? random.between(0, 2_000) : 0)));
  });
}

const REPEATERS = 40;

/**
 * The whole box stands still (as a virtual machine does that is moved), Redis comes back without its last second
 * meanwhile, and the first thing that the workers find are repeated posts of codes that were bought in that second.
 */
async function pauseBox(context: FaultContext): Promise<void> {
  const { stand, target, items, random, clock } = context;
  const { appendOnlyDir } = stand.stores as OwnedStores;
  const agent = newAgent(REPEATERS);
  const users = Array.from({ length: REPEATERS }, (_, n) => `repeater-${n}`);
  const carts = await Promise.all(users.map((user) => checkout(target, agent, user, random.pick(items))));
  const { bytes } = appendOnlyFile(appendOnlyDir);
  const buyAll = () =>
    Promise.all(carts.map(({ user, code }) => code !== undefined && purchase(target, agent, user, code)));
  await buyAll();

  const workers = stand.services.flatMap((service) => service.workers());
  const primaries = stand.services.map(({ pid }) => pid);
  for (const pid of [...primaries, ...workers]) signalTo(pid, 'SIGSTOP');
  const again = buyAll();
  await sleep(100);
  await restartRedis(stand, () => cutFile(appendOnlyFile(appendOnlyDir).path, bytes));
  for (const pid of workers) signalTo(pid, 'SIGCONT');
  await sleep(random.between(0, 500));
  for (const pid of primaries) signalTo(pid, 'SIGCONT');
  clock();
  await again;
  agent.destroy();
}

async function pause({ stand, random, clock }: FaultContext): Promise<void> {
  const pid = stand.redisPid();
  signalTo(pid, 'SIGSTOP');
  await sleep(random.pick([700, 1_500, 5_000]));
  signalTo(pid, 'SIGCONT');
  clock();
}

/** Connections are cut, some of them right after a script has run and before its reply arrived. */
async function cut({ stand, random, clock }: FaultContext): Promise<void> {
  const { redisProxy } = stand.stores as OwnedStores;
  for (let times = random.between(2, 5); times > 0; times--) {
    if (random.chance(0.7)) redisProxy.swallow(random.between(1, 2));
    else redisProxy.cut();
    clock();
    await sleep(random.between(50, 500));
  }
  redisProxy.swallow(0);
}

/** Nobody accepts connections for a while; then the same Redis is there again. */
async function away({ stand, mark, clock }: FaultContext): Promise<void> {
  const { redisProxy } = stand.stores as OwnedStores;
  mark('away-redis');
  redisProxy.refuse(true);
  await sleep(3_000);
  redisProxy.refuse(false);
  mark('back');
  clock();
}

export const redisFaults: readonly Fault[] = [
  {
    name: 'redis-kill',
    stands: ['private', 'owned'],
    async inject({ stand, clock }) {
      clock();
      await restartRedis(stand);
    },
  },
  { name: 'redis-kill-old', stands: ['owned'], losesRedis: true, inject: killOld },
  { name: 'box-pause-redis-old', stands: ['owned'], losesRedis: true, inject: pauseBox },
  {
    name: 'redis-flush',
    stands: ['private', 'owned', 'two-boxes'],
    losesRedis: true,
    async inject({ stand, clock }) {
      clock();
      await withRedis(stand.direct().redisUrl, (client) => client.flushAll());
    },
  },
  {
    // The AOF loses its end, and with it the FLUSHALL: the old data comes back.
    name: 'redis-flush-undone',
    stands: ['owned'],
    losesRedis: true,
    async inject(context) {
      const { appendOnlyDir } = context.stand.stores as OwnedStores;
      const { bytes } = appendOnlyFile(appendOnlyDir);
      await withRedis(context.stand.direct().redisUrl, (client) => client.flushAll());
      await sleep(context.random.between(300, 1_500));
      context.clock();
      await restartRedis(context.stand, () => cutFile(appendOnlyFile(appendOnlyDir).path, bytes));
    },
  },
  { name: 'redis-pause', stands: ['private', 'owned'], inject: pause },
  { name: 'redis-cut', stands: ['owned'], inject: cut },
  { name: 'redis-away', stands: ['owned'], inject: away },
  {
    // As when a firewall drops a connection silently: nothing arrives any more.
    name: 'redis-silence',
    stands: ['owned'],
    async inject({ stand, clock }) {
      (stand.stores as OwnedStores).redisProxy.silence();
      clock();
      await sleep(3_000);
    },
  },
];
