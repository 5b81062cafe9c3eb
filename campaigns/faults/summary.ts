import { type Entry, entriesOf, type HistoryLine, marksOf } from './history.ts';

/** A run in numbers. */
export interface Summary {
  readonly ops: number;
  /** Codes with a receipt. */
  readonly acknowledged: number;
  /** Codes that had an unknown outcome, and those of them that were settled. */
  readonly unknown: number;
  readonly resolved: number;
  /** Checkouts that were answered. */
  readonly attempts: number;
  /** From the clock's start until requests were served again. */
  readonly recoveryMs: number;
}

export function summarize(lines: readonly HistoryLine[], clockAt: number): Summary {
  const entries = entriesOf(lines);
  const ends = entries.filter(({ type }) => type !== 'invoke');
  const posts = ends.filter(({ does }) => does === 'purchase');
  const codesOf = (list: readonly Entry[]) => new Set(list.map(({ code }) => code));
  const unknown = codesOf(posts.filter(({ type }) => type === 'unknown'));
  const settled = codesOf(posts.filter(({ type }) => type === 'ok'));
  return {
    ops: ends.length,
    acknowledged: codesOf(posts.filter(({ receipt }) => receipt)).size,
    unknown: unknown.size,
    resolved: [...unknown].filter((code) => settled.has(code)).length,
    attempts: ends.filter(({ does, status }) => does === 'checkout' && status !== 0).length,
    recoveryMs: recovery(lines, entries, clockAt),
  };
}

/** The last request of the load that was refused or failed was sent so long after the clock was started. */
function recovery(lines: readonly HistoryLine[], entries: readonly Entry[], clockAt: number): number {
  const until = marksOf(lines).find(({ name }) => name === 'sell out')?.t ?? Number.POSITIVE_INFINITY;
  const sent = new Map<number, number>();
  let last = clockAt;
  for (const { type, op, t } of entries) {
    if (type === 'invoke') sent.set(op, t);
    const at = sent.get(op) as number;
    if ((type === 'fail' || type === 'unknown') && at < until) last = Math.max(last, at);
  }
  return Math.round(last - clockAt);
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? 0;
}
