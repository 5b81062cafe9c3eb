import type { Supervisor } from './supervisor.ts';

/** As often as workers report their connections. */
const SHARE_MS = 250;

/** Tells the workers the mean number of connections when it may have changed (see `http/balance.ts`). */
export function shareConnections(supervisor: Supervisor): void {
  let told = '';
  const tell = () => {
    const counts = supervisor.statuses().map((status) => status.connections);
    // A worker that is new has heard nothing yet.
    const news = `${supervisor.starts()}: ${counts}`;
    if (counts.length < 2 || news === told) return;
    told = news;
    const sum = counts.reduce((total, count) => total + count, 0);
    supervisor.broadcast({ type: 'fair-share', connections: sum / counts.length });
  };
  setInterval(tell, SHARE_MS).unref();
}
