import { setTimeout as sleep } from 'node:timers/promises';
import { again } from './again.ts';
import { withRedis } from './dumps.ts';
import type { Fault, FaultContext } from './faults.ts';
import { isAlive, signalTo } from './processes.ts';
import type { Service } from './service.ts';
import { until } from './stand.ts';

/** SIGKILL to a worker, now and then. */
async function killWorkers({ stand, random, clock, count }: FaultContext): Promise<void> {
  for (let kills = random.between(1, 3); kills > 0; kills--) {
    const workers = stand.services.flatMap((service) => service.workers());
    if (workers.length > 0) signalTo(random.pick(workers), 'SIGKILL');
    count('times', Math.min(workers.length, 1));
    clock();
    await sleep(random.between(100, 700));
  }
}

/** SIGKILL to a worker at a chosen point of a purchase batch. */
const killWorkerAt = (point: string): Fault => ({
  name: `worker-kill-${point}`,
  stands: ['private', 'owned'],
  async inject({ stand, random, clock, mark, count }) {
    for (let kills = random.between(1, 3); kills > 0; kills--) {
      if (await stand.killAt(point, random.between(1, 15), 3_000)) count('times', 1);
      else mark(`nobody came to ${point}`);
      clock();
      await sleep(random.between(0, 200));
    }
  },
});

/** SIGKILL to a primary; its workers must leave by themselves, and a new one serves soon. */
async function killPrimary(context: FaultContext, service: Service): Promise<void> {
  const workers = service.workers();
  await service.kill();
  context.clock();
  await sleep(context.random.pick([0, 0, 300]));
  await restart(context, service, workers);
}

async function restart(context: FaultContext, service: Service, workers: readonly number[]): Promise<void> {
  context.measure('ready', await service.start());
  const orphans = workers.filter(isAlive);
  if (orphans.length > 0) context.violate('orphan', `workers ${orphans} outlive their primary`);
}

/** Empties Redis, and kills the primary in the middle of the rebuild that follows. */
async function crashRebuild(context: FaultContext): Promise<void> {
  const { stand, random } = context;
  const service = stand.services[0] as Service;
  const workers = service.workers();
  const dies = stand.killAt('rebuild-step', random.between(1, 12), 5_000);
  await withRedis(stand.direct().redisUrl, (client) => client.flushAll());
  if (!(await dies)) {
    context.mark('the rebuild was not reached');
    return;
  }
  await service.kill(); // it is dead already
  context.clock();
  await restart(context, service, workers);
}

/** The leader is paused while Redis is emptied, and wakes up into it. */
async function pauseLeader(context: FaultContext): Promise<void> {
  const { stand, random } = context;
  const service = random.pick(stand.services);
  const { pid } = service;
  signalTo(pid, 'SIGSTOP');
  if (random.chance(0.7)) await withRedis(stand.direct().redisUrl, (client) => client.flushAll());
  await sleep(random.between(500, 3_000));
  signalTo(pid, 'SIGCONT');
  context.clock();
}

async function terminate({ stand, clock, measure, violate }: FaultContext): Promise<void> {
  const service = stand.services[0] as Service;
  const from = Date.now();
  const code = await service.stop();
  measure('stop', Date.now() - from);
  if (code !== 0) violate('service-broken', `SIGTERM: exit code ${code}`);
  clock();
  measure('ready', await service.start());
}

async function rollWorkers({ stand, clock }: FaultContext): Promise<void> {
  const service = stand.services[0] as Service;
  const before = service.workers();
  service.signal('SIGHUP');
  await until(() => before.every((pid) => !isAlive(pid)), 'every worker is replaced', 30_000);
  clock();
}

export const processFaults: readonly Fault[] = [
  { name: 'worker-kill', stands: ['private', 'owned', 'two-boxes'], inject: killWorkers },
  killWorkerAt('before-script'),
  killWorkerAt('after-script'),
  killWorkerAt('before-commit'),
  killWorkerAt('after-commit'),
  {
    name: 'primary-kill',
    stands: ['private', 'owned'],
    inject: again(3, (context) => killPrimary(context, context.stand.services[0] as Service)),
  },
  { name: 'rebuild-crash', stands: ['owned', 'private'], losesRedis: true, inject: crashRebuild },
  { name: 'leader-pause', stands: ['owned', 'two-boxes'], losesRedis: true, inject: pauseLeader },
  { name: 'sigterm-under-load', stands: ['private'], noFailures: 'refused', inject: terminate },
  { name: 'rolling-restart', stands: ['private'], noFailures: true, inject: again(2, rollWorkers) },
  {
    name: 'two-boxes',
    stands: ['two-boxes'],
    inject: (context) => killPrimary(context, context.random.pick(context.stand.services)),
  },
  {
    name: 'two-boxes-flush',
    stands: ['two-boxes'],
    losesRedis: true,
    async inject(context) {
      await withRedis(context.stand.direct().redisUrl, (client) => client.flushAll());
      await sleep(context.random.between(0, 150));
      await killPrimary(context, context.random.pick(context.stand.services));
    },
  },
];
