/** What a spreadsheet may run as a formula: cells that begin so, also in the wide forms that some read alike (OWASP, "CSV Injection"). */
const RUNS = /^[=+\-@\t\r＝＋－＠]/;

/** One cell: a quote before what a spreadsheet would run makes it text; commas, quotes and line ends are quoted (RFC 4180). */
function cell(text: string): string {
  const safe = RUNS.test(text) ? `'${text}` : text;
  return safe === text && !/[",\r\n;]/.test(text) ? text : `"${safe.replaceAll('"', '""')}"`;
}

/** One row of CSV with its line end. */
export const csvRow = (cells: readonly string[]): string => `${cells.map(cell).join(',')}\r\n`;
