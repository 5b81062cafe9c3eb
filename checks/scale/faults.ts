import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from '../../campaigns/faults/faults.ts';
import { leads } from '../../campaigns/faults/faults-leaders.ts';
import { signalTo } from '../../campaigns/faults/processes.ts';
import { isReady } from '../../campaigns/faults/run.ts';
import type { Service } from '../../campaigns/faults/service.ts';
import { until } from '../../campaigns/faults/until.ts';
import { treeOf } from '../../test/support/processes.ts';
import type { Stage } from './stage.ts';

/** A box that hangs loses its duties after so long, at most. */
const HANGS_MAX_MS = 5_000;
const READY_MS = 30_000;

/** The box that leads, and the other one. */
async function leaderOf({ stand }: Stage): Promise<[leader: Service, other: Service]> {
  const [one, two] = stand.services as readonly [Service, Service];
  return (await leads(one)) ? [one, two] : [two, one];
}

/** What happens to boxes and to Postgres; of Redis the campaign has its own faults. */
export const boxFaults = (stage: Stage): Record<'killed' | 'hung' | 'promoted', Fault> => ({
  killed: {
    name: 'box-killed',
    stands: [],
    /** All processes of the box that leads, as by a power cut. It comes back. */
    async inject({ clock, measure }) {
      const [leader, other] = await leaderOf(stage);
      const all = treeOf(leader.pid);
      clock();
      const beganMs = performance.now();
      for (const { pid } of all) signalTo(pid, 'SIGKILL');
      await until(() => leads(other), 'the other box leads', READY_MS);
      measure('led', Math.round(performance.now() - beganMs));
      await leader.kill();
      await leader.start();
    },
  },
  hung: {
    name: 'box-hung',
    stands: [],
    /** All processes of the box that leads stand still, and go on later. */
    async inject({ clock, measure, violate }) {
      const [leader, other] = await leaderOf(stage);
      const all = treeOf(leader.pid);
      clock();
      const beganMs = performance.now();
      for (const { pid } of all) signalTo(pid, 'SIGSTOP');
      try {
        await until(() => leads(other), 'the other box leads', READY_MS);
        const ms = Math.round(performance.now() - beganMs);
        measure('led', ms);
        if (ms > HANGS_MAX_MS) violate('service-broken', `a box that hung had its duties for ${ms} ms`);
        await sleep(1_000);
      } finally {
        for (const { pid } of all) signalTo(pid, 'SIGCONT');
      }
    },
  },
  promoted: {
    name: 'postgres-promoted',
    stands: [],
    /** The primary dies, and the standby that its commits waited for takes its place. */
    async inject({ clock, measure }) {
      clock();
      const beganMs = performance.now();
      await stage.pair.primary.kill();
      await stage.pair.promote();
      stage.promoted();
      measure('promoted', Math.round(performance.now() - beganMs));
      await until(() => isReady(stage.stand), 'both boxes are ready', READY_MS);
      measure('ready', Math.round(performance.now() - beganMs));
    },
  },
});
