import type { Log } from '../log.ts';
import type { ToPrimary } from '../messages.ts';
import type { WorkerMetrics, WorkerSources } from './metrics.ts';
import type { PrimaryLink } from './primary-link.ts';

/** Soon enough to even out a crowd's connections while it is still coming. */
const STATUS_MS = 250;
/** Counters are reported this often; a SIGKILL loses at most one interval. */
const REPORT_MS = 1_000;

export interface ReportingDeps {
  readonly primary: PrimaryLink;
  readonly log: Log;
  /** Undefined: nothing is measured. */
  readonly metrics: WorkerMetrics | undefined;
  readonly sources: WorkerSources;
  /** Open connections of clients on the shared port. */
  readonly connections: () => number;
}

/** Tells the primary how a worker is. */
export interface Reporting {
  /** Reports what is measured now under the id of the primary's question. */
  answer(id: number): void;
  /** The last report, before the worker leaves. */
  last(): Promise<void>;
}

export function startReporting({ primary, log, metrics, sources, connections }: ReportingDeps): Reporting {
  const sendStatus = () =>
    primary.send({
      type: 'status',
      uptimeS: process.uptime(),
      rssBytes: process.memoryUsage.rss(),
      connections: connections(),
    });
  const report = metrics ? createReport(metrics, sources, primary.sendSurely) : async () => {};
  const send = (id?: number) => report(id).catch((err: unknown) => log.warn({ err }, 'no metrics'));

  sendStatus();
  setInterval(sendStatus, STATUS_MS);
  if (metrics) {
    void send();
    setInterval(() => void send(), REPORT_MS);
  }
  return { answer: (id) => void send(id), last: () => send() };
}

/** Sends counters, and gauges too when the primary has asked under an id. One after the other, so that none is older than the last. */
function createReport(
  metrics: WorkerMetrics,
  sources: WorkerSources,
  send: (message: ToPrimary) => Promise<void>,
): (id?: number) => Promise<void> {
  let last = Promise.resolve();
  const make = async (id: number | undefined) => {
    const counted = await metrics.counted(sources);
    const answer = id === undefined ? undefined : { id, gauges: await metrics.gauges(sources) };
    await send({ type: 'metrics', counted, ...(answer && { answer }) });
  };
  return (id) => {
    last = last.then(
      () => make(id),
      () => make(id),
    );
    return last;
  };
}
