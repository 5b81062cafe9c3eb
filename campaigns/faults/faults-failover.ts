/** Faults of a Redis that has others to take its place. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault, FaultContext } from './faults.ts';
import { isReady } from './run.ts';
import type { Sentinels } from './sentinels.ts';
import { signalTo } from './stores.ts';
import { until } from './until.ts';

/** The master dies, or stands still. Its replica is promoted, and it comes back as a replica itself. */
async function failOver({ stand, random, clock, mark, measure }: FaultContext): Promise<void> {
  const sentinels = stand.sentinels as Sentinels;
  const old = sentinels.master();
  const dies = random.chance(0.5);
  mark(dies ? 'master killed' : 'master paused');
  clock();
  const beganMs = performance.now();
  if (dies) await old.kill();
  else signalTo(old.pid, 'SIGSTOP');
  await sentinels.failedOver();
  measure('promoted', Math.round(performance.now() - beganMs));
  await until(() => isReady(stand), 'a sale can sell');
  measure('ready', Math.round(performance.now() - beganMs));
  await sleep(random.between(0, 2_000));
  if (dies) await old.start();
  else signalTo(old.pid, 'SIGCONT');
  // The next failover needs it.
  await sentinels.settled();
}

export const failoverFaults: readonly Fault[] = [
  { name: 'redis-sentinel', stands: ['sentinel'], losesRedis: true, inject: failOver },
];
