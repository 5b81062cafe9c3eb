import { writeFileSync } from 'node:fs';

/** A line of a receipt: the item, and whether this purchase got it. */
export type Line = readonly [item: string, sold: boolean];

/** What a client did and saw, in the order of time. */
export interface Entry {
  /** Milliseconds since the run began. */
  readonly t: number;
  /**
   * `ok`: an answer that settles it, also a refusal; `fail`: nothing happened, or so the client was told;
   * `unknown`: it may have happened.
   */
  readonly type: 'invoke' | 'ok' | 'fail' | 'unknown';
  /** The same for an operation's invoke and end. */
  readonly op: number;
  readonly does: 'checkout' | 'purchase';
  readonly user: string;
  readonly item?: string;
  readonly code?: string;
  /** HTTP status; 0 when the connection failed. */
  readonly status?: number;
  /** `accepted`, the problem's code, or the connection's error. */
  readonly answer?: string;
  /** The receipt, in the order of its lines. */
  readonly receipt?: readonly Line[];
  /** True when the answer said that it repeats an earlier one. */
  readonly again?: boolean;
  /** X-Request-Id. */
  readonly request?: string;
}

/** Something that the harness did. */
export interface Mark {
  readonly t: number;
  readonly type: 'mark';
  readonly name: string;
}

export type HistoryLine = Entry | Mark;

/** The record of one run. */
export interface History {
  readonly lines: HistoryLine[];
  now(): number;
  mark(name: string): void;
  /** Numbers of operations, each once. */
  nextOp(): number;
  add(entry: Omit<Entry, 't'>): void;
}

export function createHistory(): History {
  const start = performance.now();
  const lines: HistoryLine[] = [];
  const now = () => Math.round((performance.now() - start) * 100) / 100;
  let op = 0;
  return {
    lines,
    now,
    mark: (name) => void lines.push({ t: now(), type: 'mark', name }),
    nextOp: () => ++op,
    add: (entry) => void lines.push({ t: now(), ...entry }),
  };
}

export const entriesOf = (lines: readonly HistoryLine[]): Entry[] =>
  lines.filter((line): line is Entry => line.type !== 'mark');

export const marksOf = (lines: readonly HistoryLine[]): Mark[] =>
  lines.filter((line): line is Mark => line.type === 'mark');

export function writeHistory(path: string, lines: readonly HistoryLine[]): void {
  writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
}
