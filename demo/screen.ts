/** The terminal of the demo: sentences with their time, and below them one row that is written anew. */
import { rowOf } from '../perf/report.ts';
import { CLEAR_ROW } from '../src/terminal.ts';

export interface Screen {
  /** A sentence, at its time. */
  say(sentence: string): void;
  /** Lines without a time. */
  print(lines: readonly string[]): void;
  /** How far it is; `share` is that of the bar. A terminal alone shows it. */
  show(share: number, text: string): void;
}

export function openScreen(): Screen {
  const beganMs = performance.now();
  const { stdout } = process;
  const write = (text: string) => stdout.write(`${stdout.isTTY ? CLEAR_ROW : ''}${text}\n`);
  return {
    say(sentence) {
      const s = Math.round((performance.now() - beganMs) / 1_000);
      const time = `${Math.floor(s / 60)}:${String(s % 60).padStart(2, '0')}`;
      write(`${time.padStart(6)}  ${sentence}`);
    },
    print(lines) {
      for (const line of lines) write(line === '' ? '' : `  ${line}`);
    },
    show(share, text) {
      if (stdout.isTTY) stdout.write(CLEAR_ROW + rowOf(share, text, stdout.columns));
    },
  };
}
