/** Faults that bring Redis back as another dataset, or short of memory or of keys. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../perf/service.ts';
import { keysOf } from '../../src/store/keys.ts';
import { listUnsold, withPostgres, withRedis } from './dumps.ts';
import type { Fault, FaultContext } from './faults.ts';
import type { Entry } from './history.ts';
import { newAgent } from './http.ts';
import { checkout, purchase } from './operations.ts';
import { signalTo } from './processes.ts';
import { until } from './stand.ts';
import { type OwnedStores, PASSWORD } from './stores.ts';

const isInStep = (url: string) =>
  until(
    () =>
      withRedis(url, async (client) => (await client.info('replication')).includes('master_link_status:up')),
    'the replica is in step',
  );

/** Runs `work` with a second Redis that has followed the first one until it was in step. */
async function withReplica(
  { stand }: FaultContext,
  work: (replica: { url: string; port: number }) => Promise<void>,
): Promise<void> {
  const first = stand.direct().redisUrl;
  const port = await freePort();
  const url = first.replace(/:\d+$/, `:${port}`);
  const dir = join(stand.dir, `replica-${port}`);
  mkdirSync(dir);
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--save', ''];
  const secrets = ['--requirepass', PASSWORD, '--masterauth', PASSWORD];
  const child: ChildProcess = spawn('redis-server', [...args, ...secrets], { stdio: 'ignore' });
  try {
    await until(
      () => withRedis(url, async (client) => (await client.ping()) === 'PONG'),
      'the replica starts',
    );
    await withRedis(first, async (client) => {
      await client.configSet('masterauth', PASSWORD);
      await client.configSet('repl-diskless-sync-delay', '0');
    });
    await follow(url, Number(new URL(first).port));
    await work({ url, port });
  } finally {
    const gone = once(child, 'exit');
    signalTo(child.pid as number, 'SIGKILL');
    await gone;
  }
}

async function follow(url: string, port: number): Promise<void> {
  await withRedis(url, (client) => client.sendCommand(['REPLICAOF', '127.0.0.1', String(port)]));
  await isInStep(url);
}
const promote = (url: string) => withRedis(url, (client) => client.sendCommand(['REPLICAOF', 'NO', 'ONE']));

/** Redis fails over to a replica, and back: the same process has the replica's older data, and its connections never broke. */
function failBack(context: FaultContext): Promise<void> {
  const { stand, random, clock } = context;
  const first = stand.direct().redisUrl;
  return withReplica(context, async (replica) => {
    await sleep(random.between(200, 800));
    await promote(replica.url);
    // Whoever still reaches the first one buys there what the replica never hears of.
    await sleep(random.between(100, 800));
    clock();
    await follow(first, replica.port);
    await promote(first);
  });
}

/** What makes a new connection what a client's has become. */
const GREETING = `HELLO 3 AUTH default ${PASSWORD}\r\n`;

/** A proxy keeps its connections, and has a promoted replica behind them from one request to the next; later the first one again. */
function swapBehindProxy(context: FaultContext): Promise<void> {
  const { stand, random, clock } = context;
  const { redisProxy, redisPort } = stand.stores as OwnedStores;
  return withReplica(context, async (replica) => {
    await sleep(random.between(200, 800));
    await promote(replica.url);
    await sleep(random.between(100, 800));
    clock();
    await redisProxy.swap(replica.port, GREETING);
    await sleep(random.between(500, 1_500));
    clock();
    await redisProxy.swap(redisPort, GREETING);
  });
}

/** Redis is at its maxmemory for some seconds. */
async function fill({ stand, random, clock }: FaultContext): Promise<void> {
  const setMemory = (bytes: number) =>
    withRedis(stand.direct().redisUrl, (client) => client.configSet('maxmemory', String(bytes)));
  await setMemory(1_000_000);
  await sleep(random.between(1_000, 3_000));
  await setMemory(0);
  clock();
}

const LOSABLE = ['sale', 'items', 'names', 'bought', 'decisions', 'outbox', 'gate'] as const;

/** Keys of the sale are gone, one after the other. */
async function loseKeys({ stand, random, target, clock, mark }: FaultContext): Promise<void> {
  const keys = keysOf(target.saleId);
  for (let times = random.between(1, 3); times > 0; times--) {
    const name = random.pick(LOSABLE);
    mark(`lost: ${name}`);
    clock();
    await withRedis(stand.direct().redisUrl, (client) => client.del(keys[name]));
    await sleep(random.between(300, 1_500));
  }
}

const POISONED = 5;

/**
 * Postgres holds purchases that Redis does not know of: whoever buys these items contradicts a row. Their rightful owners
 * post their codes last.
 */
async function poison({ stand, target, items, clock, random }: FaultContext): Promise<void> {
  const agent = newAgent(2 * POISONED);
  const left = (await listUnsold(stand.direct().databaseUrl, target.saleId)).filter((item) =>
    items.includes(item),
  );
  const chosen = left.slice(-POISONED);
  const cart = (user: string, item: string) => checkout(target, agent, user, item);
  const owners = await Promise.all(chosen.map((item, n) => cart(`owner-${n}`, item)));
  const others = await Promise.all(chosen.map((item, n) => cart(`other-${n}`, item)));
  clock();
  await withPostgres(stand.direct().databaseUrl, async (client) => {
    for (const [n, { code, user }] of owners.entries()) {
      if (code === undefined) continue;
      await client.query(POISON_SQL, [target.saleId, chosen[n], code, user]);
    }
  });
  const post = (carts: readonly Entry[]) =>
    Promise.all(carts.map(({ user, code }) => code && purchase(target, agent, user, code)));
  await post(others);
  await sleep(random.between(2_500, 4_000));
  for (let tries = 0; tries < 50; tries++) {
    const ends = await post([...others, ...owners]);
    if (ends.every((end) => !end || end.type === 'ok')) break;
    await sleep(100);
  }
  agent.destroy();
}

/** Nothing where the item was sold just now. */
const POISON_SQL = `with sold as (
    insert into purchases (sale_id, item_id, code, user_id, purchased_at) values ($1, $2, $3, $4, now())
    on conflict do nothing returning item_id
  )
  insert into decisions (code, sale_id, user_id, decided_at, lines) select $3, $1, $4, now(), '+' || item_id from sold`;

export const datasetFaults: readonly Fault[] = [
  { name: 'redis-failback', stands: ['owned'], losesRedis: true, inject: failBack },
  { name: 'proxy-swap', stands: ['owned'], losesRedis: true, inject: swapBehindProxy },
  { name: 'redis-full', stands: ['private', 'owned'], inject: fill },
  { name: 'redis-key-lost', stands: ['private', 'owned'], losesRedis: true, inject: loseKeys },
  { name: 'poison-code', stands: ['private', 'owned'], losesRedis: true, inject: poison },
];
