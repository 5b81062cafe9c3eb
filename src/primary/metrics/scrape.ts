import type { MetricJson, ToPrimary } from '../../messages.ts';
import { addUp, toText } from '../../metrics/aggregate.ts';
import { gauge } from '../../metrics/series.ts';

/** A healthy worker answers within some ms. */
const DEADLINE_MS = 500;

export interface ScrapeOptions {
  /** The primary's own metrics. */
  readonly own: () => Promise<readonly MetricJson[]>;
  /** Pids of the workers that may be asked. */
  readonly workers: () => readonly number[];
  /** Asks a worker to report its metrics under this id. */
  readonly ask: (pid: number, id: number) => void;
  /** For tests. */
  readonly deadlineMs?: number;
}

/** The metrics of all processes as one, without a counter that goes backwards. */
export interface Scrape {
  /** Takes a report of a worker, asked for or not, in the order of sending. */
  heard(pid: number, told: Extract<ToPrimary, { type: 'metrics' }>): void;
  /** This worker will report nothing more. */
  left(pid: number): void;
  /** Everything as Prometheus text, after half a second of waiting at most. Calls at the same time share one collection. */
  text(): Promise<string>;
}

interface Heard {
  readonly counted: readonly MetricJson[];
  /** As of the last scrape that it answered. */
  readonly gauges: readonly MetricJson[];
}

interface Collection {
  readonly id: number;
  readonly awaited: Set<number>;
  readonly complete: () => void;
}

export function createScrape(options: ScrapeOptions): Scrape {
  const { own, workers, ask, deadlineMs = DEADLINE_MS } = options;
  // Counters never vanish: they are in here while the worker lives, and in the sum of dead workers afterwards.
  const known = new Map<number, Heard>();
  let departed: readonly MetricJson[] = [];
  let folding = Promise.resolve();
  let collection: Collection | undefined;
  let underWay: Promise<string> | undefined;
  let lastId = 0;

  const settle = (pid: number, id = collection?.id) => {
    if (collection === undefined || collection.id !== id) return;
    collection.awaited.delete(pid);
    if (collection.awaited.size === 0) collection.complete();
  };

  /** Asks every worker that has reported before; resolves with the number of those that did not answer in time. */
  const askAll = async (): Promise<number> => {
    const awaited = new Set(workers().filter((pid) => known.has(pid)));
    if (awaited.size === 0) return 0;
    const id = ++lastId;
    await new Promise<void>((complete) => {
      const late = setTimeout(complete, deadlineMs);
      collection = {
        id,
        awaited,
        complete: () => {
          clearTimeout(late);
          complete();
        },
      };
      for (const pid of awaited) ask(pid, id);
    });
    collection = undefined;
    return awaited.size;
  };

  const collect = async (): Promise<string> => {
    const [silent, ownMetrics] = await Promise.all([askAll(), own()]);
    await folding;
    const all = [...known.values()].flatMap(({ counted, gauges }) => [counted, gauges]);
    const late = gauge('flashsale_scrape_silent_workers', 'Workers that did not answer in time', [[silent]]);
    return toText(await addUp([ownMetrics, [late], departed, ...all]));
  };

  return {
    heard(pid, { counted, answer }) {
      known.set(pid, { counted, gauges: answer?.gauges ?? known.get(pid)?.gauges ?? [] });
      if (answer) settle(pid, answer.id);
    },
    left(pid) {
      const last = known.get(pid);
      settle(pid);
      if (last === undefined) return;
      // Both changes in one step: a reader finds the figures in exactly one of the two.
      folding = folding.then(async () => {
        const sum = await addUp([departed, last.counted]);
        departed = sum;
        known.delete(pid);
      });
    },
    text() {
      underWay ??= collect().finally(() => {
        underWay = undefined;
      });
      return underWay;
    },
  };
}
