import type { Log } from '../log.ts';
import type { ToPrimary } from '../messages.ts';
import type { WorkerMetrics, WorkerSources } from './metrics.ts';
import type { PrimaryLink } from './primary-link.ts';

/** Often enough to even out connections while a crowd still arrives. */
const NEWS_MS = 250;
/** Status and counters are reported this often; a SIGKILL loses at most one interval. */
const REPORT_MS = 1_000;

/** Reports a worker's state to the primary. */
export interface Reporting {
  /** Status and counters, from now on. */
  start(): void;
  /** Reports what is measured now under the id of the primary's question. */
  answer(id: number): void;
  /** The last report, before the worker leaves. */
  last(): Promise<void>;
}

/** Without `metrics` nothing is measured, and only the status is reported. */
export function createReporting(
  primary: PrimaryLink,
  log: Log,
  metrics: WorkerMetrics | undefined,
  sources: WorkerSources,
): Reporting {
  let told = -1;
  const sendStatus = () => {
    told = sources.serving.connections();
    primary.send({
      type: 'status',
      uptimeS: process.uptime(),
      rssBytes: process.memoryUsage.rss(),
      connections: told,
    });
  };
  const sendNews = () => {
    if (sources.serving.connections() !== told) sendStatus();
  };
  const report = metrics ? createReport(metrics, sources, primary.sendSurely) : async () => {};
  const send = (id?: number) => report(id).catch((err: unknown) => log.warn({ err }, 'no metrics'));

  return {
    start() {
      sendStatus();
      setInterval(sendStatus, REPORT_MS);
      setInterval(sendNews, NEWS_MS);
      if (metrics === undefined) return;
      void send();
      setInterval(() => void send(), REPORT_MS);
    },
    answer: (id) => void send(id),
    last: () => send(),
  };
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
