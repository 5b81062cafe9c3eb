import { setTimeout as sleep } from 'node:timers/promises';
import type { Prometheus } from './prometheus.ts';

/** Follows the alerts of a Prometheus. */
export interface AlertWatch {
  /** Ends it. `fired`: each alert that was firing at any time → its sentence; `firing`: those that still are. */
  stop(): Promise<{ fired: Map<string, string>; firing: string[] }>;
}

const LOOK_MS = 400;

export function watchAlerts(prometheus: Prometheus): AlertWatch {
  const fired = new Map<string, string>();
  let firing: string[] = [];
  let stopped = false;
  const look = async () => {
    const now = (await prometheus.rules()).filter(({ state }) => state === 'firing');
    for (const { name, alerts } of now) fired.set(name, alerts?.[0]?.annotations.summary ?? '');
    firing = now.map(({ name }) => name);
  };
  const watching = (async () => {
    while (!stopped) {
      await look();
      await sleep(LOOK_MS);
    }
  })();
  // The end reports a failure.
  watching.catch(() => {});
  return {
    async stop() {
      stopped = true;
      await watching;
      await look();
      return { fired, firing };
    },
  };
}
