/** Faults of a Redis that has others to take its place. */
import { setTimeout as sleep } from 'node:timers/promises';
import { listUnsold } from './dumps.ts';
import type { Fault, FaultContext } from './faults.ts';
import { createHistory } from './history.ts';
import { newAgent } from './http.ts';
import { checkout, type Target } from './operations.ts';
import { signalTo } from './processes.ts';
import type { RedisCluster } from './redis-cluster.ts';
import { createSale, isReady } from './run.ts';
import type { Sentinels } from './sentinels.ts';
import type { OwnedServer } from './stores.ts';
import { until } from './until.ts';

const TRIES_MAX = 30;
const ITEMS_ELSEWHERE = 50;
const PROMOTED_MS = 30_000;

/** Kills a master, or has it stand still; says when that was, and how to undo it. */
async function strike(
  { random, clock, mark }: FaultContext,
  master: Pick<OwnedServer, 'pid' | 'start' | 'kill'>,
) {
  const dies = random.chance(0.5);
  mark(dies ? 'master killed' : 'master paused');
  clock();
  const beganMs = performance.now();
  if (dies) await master.kill();
  else signalTo(master.pid, 'SIGSTOP');
  const comeBack = async () => (dies ? master.start() : signalTo(master.pid, 'SIGCONT'));
  return { beganMs, comeBack };
}

/** The master dies, or stands still. Its replica is promoted, and it comes back as a replica itself. */
async function failOver(context: FaultContext): Promise<void> {
  const { stand, random, measure } = context;
  const sentinels = stand.sentinels as Sentinels;
  const old = sentinels.master();
  const { beganMs, comeBack } = await strike(context, old);
  await sentinels.failedOver();
  measure('promoted', Math.round(performance.now() - beganMs));
  await until(() => isReady(stand), 'a sale can sell');
  measure('ready', Math.round(performance.now() - beganMs));
  await sleep(random.between(0, 2_000));
  await comeBack();
  // The next failover needs it.
  await sentinels.settled();
}

/** A sale of its own, whose keys are at another master than those of the sale under test. */
async function saleElsewhere({ stand, target }: FaultContext, cluster: RedisCluster): Promise<Target> {
  const { port } = await cluster.masterOf(target.saleId);
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const saleId = await createSale(stand, ITEMS_ELSEWHERE);
    if ((await cluster.masterOf(saleId)).port !== port)
      return { ...target, saleId, history: createHistory() };
  }
  throw new Error('every sale is at one master');
}

/** The master of the sale dies, or stands still. Another sale sells on meanwhile; the replica is promoted. */
async function killMaster(context: FaultContext): Promise<void> {
  const { stand, random, target, measure, violate } = context;
  const cluster = stand.cluster as RedisCluster;
  const other = await saleElsewhere(context, cluster);
  const [item = ''] = await listUnsold(stand.direct().databaseUrl, other.saleId);
  const old = await cluster.masterOf(target.saleId);
  const agent = newAgent(1);
  let soldElsewhere = 0;
  const sellElsewhere = async () => {
    const { type } = await checkout(other, agent, `elsewhere-${soldElsewhere}`, item);
    if (type === 'ok') soldElsewhere++;
  };

  const { beganMs, comeBack } = await strike(context, old);
  await until(
    async () => {
      await sellElsewhere();
      return (await cluster.masterOf(target.saleId)).port !== old.port;
    },
    'the replica is promoted',
    PROMOTED_MS,
  );
  measure('promoted', Math.round(performance.now() - beganMs));
  if (soldElsewhere === 0) violate('unexpected-answer', 'a sale at another master did not sell on');
  agent.destroy();
  await sleep(random.between(0, 2_000));
  await comeBack();
  // The next failover needs it.
  await cluster.settled();
}

/** The slot of the sale moves to another master, and back. Another dataset each time. */
async function moveSlot({ stand, random, target, clock }: FaultContext): Promise<void> {
  const cluster = stand.cluster as RedisCluster;
  const from = await cluster.masterOf(target.saleId);
  const others = (await cluster.masters()).filter(({ port }) => port !== from.port);
  clock();
  await cluster.moveSlot(target.saleId, random.pick(others), () => sleep(random.between(0, 500)));
  await sleep(random.between(500, 2_000));
  clock();
  await cluster.moveSlot(target.saleId, from);
}

export const failoverFaults: readonly Fault[] = [
  { name: 'redis-sentinel', stands: ['sentinel'], losesRedis: true, inject: failOver },
  { name: 'cluster-master-killed', stands: ['cluster'], losesRedis: true, inject: killMaster },
  { name: 'cluster-slot-moved', stands: ['cluster'], losesRedis: true, inject: moveSlot },
];
