import { execFileSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { again } from './again.ts';
import { countWaiting, withPostgres } from './dumps.ts';
import type { Fault, FaultContext } from './faults.ts';
import { childrenOf, signalTo } from './processes.ts';
import { killPostgres, type Stand, until } from './stand.ts';
import type { OwnedStores } from './stores.ts';

const isBack = (stand: Stand) =>
  until(() => withPostgres(stand.direct().databaseUrl, async () => true), 'Postgres is back', 30_000);

/** Postgres dies during commits: all of it, by SIGKILL or at once by SIGQUIT, or one of its processes. */
async function kill({ stand, random, clock }: FaultContext): Promise<void> {
  const how = random.pick(['SIGKILL', 'SIGKILL', 'SIGQUIT', 'backend'] as const);
  clock();
  if (how === 'backend') {
    signalTo(random.pick(childrenOf(stand.postgresPid())), 'SIGKILL');
    await sleep(200);
  } else {
    await killPostgres(stand, how);
    await stand.stores?.postgres.start();
  }
  await isBack(stand);
}

/** Postgres is down for a while. What was decided before waits in the outbox, and is committed soon after. */
async function outage({ stand, full, mark, clock, measure, target }: FaultContext): Promise<void> {
  const { postgres } = stand.stores as OwnedStores;
  mark('away-postgres');
  await postgres.kill('SIGQUIT');
  await sleep(full ? 60_000 : 5_000);
  mark('back');
  await postgres.start();
  clock();
  const back = Date.now();
  await until(
    async () => (await countWaiting(stand.direct(), target.saleId)) < 5,
    'the outbox is drained',
    30_000,
  );
  measure('drained', Date.now() - back);
}

/** All of Postgres stands still, holding its locks and connections. */
async function pause({ stand, random, clock }: FaultContext): Promise<void> {
  const first = stand.postgresPid();
  const all = [first, ...childrenOf(first)];
  for (const pid of all) signalTo(pid, 'SIGSTOP');
  await sleep(random.pick([500, 2_000, 4_000]));
  for (const pid of all) signalTo(pid, 'SIGCONT');
  clock();
}

/** Connections to Postgres are cut, some of them in mid-commit. */
async function cut({ stand, random, clock }: FaultContext): Promise<void> {
  for (let times = random.between(2, 6); times > 0; times--) {
    (stand.stores as OwnedStores).postgresProxy.cut();
    clock();
    await sleep(random.between(20, 400));
  }
}

/** Postgres comes back as it was a moment ago, as after the promotion of an asynchronous replica: it has lost its last commits. */
async function goBack({ stand, random, clock }: FaultContext): Promise<void> {
  const { postgres } = stand.stores as OwnedStores;
  const data = join(stand.dir, 'stores', 'postgres');
  const copy = `${data}.copy`;
  rmSync(copy, { recursive: true, force: true });
  await postgres.kill('SIGQUIT');
  execFileSync('cp', ['-a', data, copy]);
  await postgres.start();
  await isBack(stand);
  await sleep(random.between(300, 1_500));
  clock();
  await postgres.kill('SIGKILL');
  // Copied into the directory that is there: it keeps its owner and its mode.
  for (const name of readdirSync(data)) rmSync(join(data, name), { recursive: true });
  execFileSync('cp', ['-a', `${copy}/.`, data]);
  rmSync(copy, { recursive: true });
  await postgres.start();
  await isBack(stand);
}

export const postgresFaults: readonly Fault[] = [
  { name: 'postgres-kill', stands: ['private', 'owned'], inject: again(3, kill) },
  { name: 'postgres-outage', stands: ['owned'], inject: outage },
  { name: 'postgres-pause', stands: ['owned', 'private'], inject: pause },
  { name: 'postgres-cut', stands: ['owned'], inject: cut },
  { name: 'postgres-older', stands: ['owned'], losesLog: true, inject: goBack },
];
