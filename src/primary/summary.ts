import type { Config } from '../config.ts';
import type { Log } from '../log.ts';
import type { MetricJson } from '../messages.ts';
import type { LiveSale } from '../sale.ts';
import type { Redis } from '../store/redis.ts';
import { CLEAR_ROW, fitRow } from '../terminal.ts';
import { addCounts, boundOf, type Counts, noCounts, readCounts } from './metrics/counts.ts';
import { type Progress, readProgress } from './progress.ts';

/** Workers report each second; those that are asked for /metrics report more often. */
const PERIOD_MS = 900;
/** So many periods without a request end a burst: one of them may only be a late report. */
const QUIET_PERIODS = 2;
/** With fewer requests a 99th percentile or a rate says nothing. */
const MANY = 100;
/** Refusals that every sale has, in fewer words than their codes. */
const SHORT: Readonly<Record<string, string>> = {
  item_already_sold: 'sold',
  sale_sold_out: 'sold out',
  user_limit_reached: 'limit',
  already_in_checkout: 'in cart',
  already_processed: 'repeated',
};

export interface SummaryOptions {
  /** The sales that are open. */
  readonly readProgress: () => Promise<readonly Progress[]>;
  /** Pids of the workers that live. */
  readonly pids: () => readonly number[];
  readonly write: (text: string) => void;
  /** Width of the terminal now; undefined when it does not tell. */
  readonly columns: () => number | undefined;
  /** For tests. */
  readonly periodMs?: number;
}

/** Shows on a terminal what the service does: one row, written again each second while requests come, and left once they are over. */
export interface Summary {
  /** A worker has reported what it has counted so far. */
  heard(pid: number, counted: readonly MetricJson[]): void;
}

export function createSummary(options: SummaryOptions): Summary {
  const { readProgress: read, pids, write, columns, periodMs = PERIOD_MS } = options;
  const reports = new Map<number, Counts>();
  const choose = createChoice();
  let recent = noCounts();
  let recentFromMs = performance.now();
  let burst = noCounts();
  let peak = 0;
  let quietPeriods = 0;
  let isShowing = false;

  const rowOf = async (pace: string, counts: Counts) => {
    const sale = choose(await read().catch(() => []));
    return [...sale, pace, ...p99Of(counts), ...refusalsOf(counts)].join('  ');
  };

  const show = async (counts: Counts, ms: number) => {
    if (counts.requests > 0) {
      quietPeriods = 0;
      addCounts(burst, counts);
      const perSecond = (counts.requests / ms) * 1_000;
      peak = Math.max(peak, perSecond);
      const row = await rowOf(`${figure(perSecond)} req/s`, counts);
      return write(`${CLEAR_ROW}${fitRow(row, columns())}`);
    }
    quietPeriods++;
    if (burst.requests === 0 || quietPeriods < QUIET_PERIODS) return;
    const over = burst;
    const most = over.requests < MANY ? '' : `, up to ${figure(peak)}/s`;
    [burst, peak] = [noCounts(), 0];
    const pace = `${figure(over.requests)} request${over.requests === 1 ? '' : 's'}${most}`;
    write(`${CLEAR_ROW}[${new Date().toTimeString().slice(0, 8)}] ${await rowOf(pace, over)}\n`);
  };

  return {
    heard(pid, counted) {
      const counts = readCounts(counted);
      const before = reports.get(pid);
      if (before === undefined)
        for (const each of reports.keys()) if (!pids().includes(each)) reports.delete(each);
      addCounts(recent, counts, before);
      reports.set(pid, counts);
      const nowMs = performance.now();
      const ms = nowMs - recentFromMs;
      if (ms < periodMs || isShowing) return;
      const shown = recent;
      [recent, recentFromMs, isShowing] = [noCounts(), nowMs, true];
      void show(shown, ms).finally(() => {
        isShowing = false;
      });
    },
  };
}

/** The summary of this process' terminal; undefined without one, and when lines of requests or a quieter log are asked for. */
export function openSummary(
  config: Pick<Config, 'logRequests'>,
  log: Log,
  redis: Redis,
  sales: () => readonly LiveSale[],
  pids: () => readonly number[],
): Summary | undefined {
  const { stdout } = process;
  if (!stdout.isTTY || config.logRequests !== 'failures' || !log.isLevelEnabled('info')) return undefined;
  return createSummary({
    readProgress: () => readProgress(redis, sales()),
    pids,
    write: (text) => void stdout.write(text),
    columns: () => stdout.columns,
  });
}

/** Chooses which of the open sales is shown: the one that has sold most since it was last asked, or else the one of that time. */
function createChoice() {
  let soldBefore = new Map<string, number>();
  let shown = '';
  return (open: readonly Progress[]): string[] => {
    const gain = ({ sale, sold }: Progress) => sold - (soldBefore.get(sale.id) ?? 0);
    const stays = ({ sale }: Progress) => Number(sale.id === shown);
    const [best] = open.toSorted((a, b) => gain(b) - gain(a) || stays(b) - stays(a));
    soldBefore = new Map(open.map(({ sale, sold }) => [sale.id, sold]));
    if (best === undefined) return [];
    const { sale, sold } = best;
    shown = sale.id;
    return [`${open.length > 1 ? `${sale.id}: ` : ''}${figure(sold)}/${figure(sale.total)} sold`];
  };
}

function p99Of(counts: Counts): string[] {
  if (counts.requests < MANY) return [];
  const bound = boundOf(counts, 0.99);
  const seconds = bound ?? Math.max(...counts.within.keys());
  return [`p99 ${bound === undefined ? '>' : '≤'} ${seconds < 1 ? `${seconds * 1_000} ms` : `${seconds} s`}`];
}

/** The share of the requests that were refused, and by which reasons. */
function refusalsOf({ requests, refused }: Counts): string[] {
  const share = (n: number) => {
    const percent = (n / requests) * 100;
    return percent >= 1 ? percent.toFixed(0) : percent.toFixed(1);
  };
  const all = [...refused.values()].reduce((sum, n) => sum + n, 0);
  if (all === 0) return [];
  const reasons = [...refused]
    .filter(([, n]) => n > 0)
    .sort(([, a], [, b]) => b - a)
    .map(([reason, n]) => `${SHORT[reason] ?? reason.replaceAll('_', ' ')} ${share(n)}`);
  return [`${share(all)} % refused: ${reasons.join(', ')}`];
}

const figure = (value: number) => Math.round(value).toLocaleString('en');
