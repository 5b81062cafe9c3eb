/** What is written to a terminal beside plain lines: one row, written again and again, below the lines of the log. */

/** Begins every line and every row: a row that was there makes way, whichever process wrote it. */
export const CLEAR_ROW = '\r\x1b[K';

/** Some terminals have no width to tell. */
const COLUMNS = 80;

/** Characters that one row takes. The last column stays free: written to, it makes some terminals begin a new row. */
export const widthOf = (columns: number | undefined): number => (columns || COLUMNS) - 1;

/** Text cut to one row. */
export function fitRow(text: string, columns: number | undefined): string {
  const most = widthOf(columns);
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}
