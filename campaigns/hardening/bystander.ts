import { setTimeout as sleep } from 'node:timers/promises';
import { openConnection } from '../../perf/client.ts';
import { createHistogram } from '../../perf/histogram.ts';
import { createRecorder, type RecordData } from '../../perf/record.ts';
import { buy, checkOut } from '../../perf/session.ts';

export interface Latency {
  readonly requests: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Well-behaved customers during an attack: each of their requests must be answered correctly. */
export interface Bystanders {
  readonly record: RecordData;
  /** Latencies since it was last asked. */
  latency(): Latency;
  /** Lets them finish. */
  leave(): Promise<void>;
}

const THINK_MS = 10;
const PATIENCE_MS = 10_000;

/** Each buys one item after the other, from its own share of the sale, under a name that begins with `prefix`. */
export function sendBystanders(
  url: string,
  saleId: string,
  items: readonly string[],
  { prefix, count }: { readonly prefix: string; readonly count: number },
): Bystanders {
  const recorder = createRecorder();
  let leaving = false;
  const shop = async (n: number) => {
    const connection = openConnection(url);
    for (let i = n; i < items.length && !leaving; i += count) {
      const giveUpAtMs = performance.now() + PATIENCE_MS;
      const session = { connection, record: recorder, saleId, giveUpAtMs };
      const user = `${prefix}${i}`;
      const outcome = await checkOut(session, user, items[i] as string);
      if ('code' in outcome) await buy(session, user, outcome.code);
      await sleep(THINK_MS);
    }
    connection.close();
  };
  const all = Promise.all(Array.from({ length: count }, (_, n) => shop(n)));
  return {
    record: recorder.data,
    latency() {
      const histogram = createHistogram(recorder.takeRecent());
      const { total } = histogram.data;
      return { requests: total, p50Ms: histogram.percentile(0.5), p99Ms: histogram.percentile(0.99) };
    },
    async leave() {
      leaving = true;
      await all;
    },
  };
}

/** What a bystander was answered other than 200, by kind and status. */
export const disturbances = ({ statuses }: RecordData): string[] =>
  [...statuses].filter(([what]) => !what.endsWith(' 200')).map(([what, n]) => `a bystander's ${what} × ${n}`);
