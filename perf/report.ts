/** How a run is shown: while it goes on, and at its end. */
import { CLEAR_ROW, fitRow, widthOf } from '../src/terminal.ts';
import { printTable } from './command.ts';
import { createHistogram } from './histogram.ts';
import { KINDS, type RecordData } from './record.ts';

export interface Progress {
  /** Called often; shows what has changed, now and then. Returns whether it did. */
  show(sold: number, requests: number, more?: string): boolean;
  end(): void;
}

const TERMINAL_MS = 100;
const LINES_MS = 5_000;
const BAR_MAX = 30;
/** A shorter one shows nothing. */
const BAR_MIN = 5;

/** A bar on a terminal, a line every few seconds elsewhere. */
export function createProgress(total: number): Progress {
  const isTerminal = process.stdout.isTTY === true;
  let shownMs = performance.now();
  let shownRequests = 0;
  return {
    show(sold, requests, more = '') {
      const nowMs = performance.now();
      if (nowMs - shownMs < (isTerminal ? TERMINAL_MS : LINES_MS)) return false;
      const perSecond = Math.round(((requests - shownRequests) / (nowMs - shownMs)) * 1_000);
      shownMs = nowMs;
      shownRequests = requests;
      const text = `${sold.toLocaleString('en')}/${total.toLocaleString('en')} sold   ${perSecond.toLocaleString('en')} requests/s${more}`;
      if (isTerminal) process.stdout.write(CLEAR_ROW + rowOf(sold / total, text, process.stdout.columns));
      else console.log(text);
      return true;
    },
    end() {
      if (isTerminal) process.stdout.write(CLEAR_ROW);
    },
  };
}

/** Text behind a bar as long as there is room for; never more than one row. */
export function rowOf(share: number, text: string, columns: number | undefined): string {
  const room = Math.min(BAR_MAX, widthOf(columns) - text.length - 2);
  if (room < BAR_MIN) return fitRow(text, columns);
  const full = Math.min(room, Math.floor(share * room));
  return `${'█'.repeat(full)}${'░'.repeat(room - full)}  ${text}`;
}

const ms = (value: number) => `${value < 10 ? value.toFixed(2) : value.toFixed(1)} ms`;
const percent = (share: number) => `${(share * 100).toFixed(1)} %`;

/** Requests, answers and latencies of a run. */
export function printReport(record: RecordData, cores: number): void {
  const wallMs = record.lastMs - record.firstMs;
  console.log(`\nFrom the first request to the last answer: ${(wallMs / 1_000).toFixed(3)} s`);
  console.log(
    `${record.requests.toLocaleString('en')} requests, ${Math.round((record.requests / wallMs) * 1_000).toLocaleString('en')} per second; the generator used ${cores.toFixed(2)} cores\n`,
  );
  const rows: (string | number)[][] = [['request', 'number', 'p50', 'p95', 'p99', 'max']];
  for (const kind of KINDS) {
    const latencies = createHistogram(record.latencies[kind]);
    const { total, maxMs } = latencies.data;
    if (total > 0)
      rows.push([
        kind,
        total,
        ...[0.5, 0.95, 0.99].map((share) => ms(latencies.percentile(share))),
        ms(maxMs),
      ]);
  }
  printTable(rows);
  console.log();
  const answers = [...record.statuses].sort(([a], [b]) => a.localeCompare(b));
  printTable([
    ['answer', 'number', 'share'],
    ...answers.map(([answer, n]) => [answer, n, percent(n / record.requests)]),
  ]);
  console.log();
}
