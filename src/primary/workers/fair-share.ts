import type { Supervisor } from './supervisor.ts';

/** As often as workers tell their connections. */
const SHARE_MS = 250;

/** Tells the workers how many connections each would have if all had the same (see `http/balance.ts`). */
export function shareConnections(supervisor: Supervisor): void {
  const tell = () => {
    const counts = supervisor.statuses().map((status) => status.connections);
    if (counts.length < 2) return;
    const sum = counts.reduce((total, count) => total + count, 0);
    supervisor.broadcast({ type: 'fair-share', connections: sum / counts.length });
  };
  setInterval(tell, SHARE_MS).unref();
}
