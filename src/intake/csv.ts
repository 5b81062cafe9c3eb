import { Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { ITEMS_MAX } from '../sale.ts';
import type { Pace } from './pace.ts';
import type { Read } from './text.ts';

/** Bytes that the parser reads at a time: a few ms. */
const PART = 4 << 10;
/** Of a row: more than its cells may have. */
const ROW_BYTES_MAX = 16 << 10;
/** Excel separates by semicolons where the decimal sign is a comma. */
const SEPARATORS = [',', ';'] as const;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** A row below the header; its cells by the header's names. Empty cells are left out. */
export interface Row {
  /** Of its first character; counts from 1. */
  readonly line: number;
  readonly cells: Readonly<Record<string, string>>;
}

interface Parsed {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
}

/**
 * Reads a CSV text (RFC 4180; comma or semicolon, CRLF or LF, empty lines are skipped) with a header whose names are among
 * `columns`, in any order, each once. A line break within a cell is read as a space. A fault begins with its line.
 */
export async function readCsv(
  text: string,
  columns: readonly string[],
  pace: Pace,
): Promise<Read<readonly Row[]>> {
  const parser = Readable.from(partsOf(Buffer.from(text), pace)).pipe(
    parse({
      delimiter: separatorOf(text),
      info: true,
      max_record_size: ROW_BYTES_MAX,
      record_delimiter: '\n',
      relax_column_count: false,
      skip_empty_lines: true,
    }),
  );
  const rows: Row[] = [];
  let names: readonly string[] | undefined;
  try {
    for await (const { record, info } of parser as AsyncIterable<Parsed>) {
      if (pace.isDue()) await pace.rest();
      const line = info.lines - feedsIn(record);
      if (names !== undefined) {
        if (rows.length === ITEMS_MAX)
          return { fault: `line ${line}: a table has at most ${ITEMS_MAX} rows` };
        rows.push({ line, cells: cellsOf(names, record) });
        continue;
      }
      names = record.map((name) => name.trim().toLowerCase());
      const fault = faultOfHeader(names, columns);
      if (fault !== undefined) return { fault: `line ${line}: ${fault}` };
    }
  } catch (error) {
    if (error instanceof CsvError) return { fault: sentenceOf(error) };
    throw error;
  } finally {
    parser.destroy();
  }
  return names === undefined
    ? { fault: `line 1: a header is expected: ${columns.join(',')}` }
    : { value: rows };
}

/**
 * The parser reads bytes: a part of a text could end in the middle of a surrogate pair. Line ends become line feeds; where none is a
 * record, nothing but this lets others have their turn.
 */
async function* partsOf(bytes: Buffer, pace: Pace): AsyncGenerator<Buffer> {
  for (let from = 0, to = 0; from < bytes.length; from = to) {
    if (pace.isDue()) await pace.rest();
    to = Math.min(from + PART, bytes.length);
    if (bytes[to - 1] === CARRIAGE_RETURN && bytes[to] === LINE_FEED) to++;
    const part = bytes.toString('latin1', from, to);
    yield part.includes('\r')
      ? Buffer.from(part.replace(/\r\n?/g, '\n'), 'latin1')
      : bytes.subarray(from, to);
  }
}

/** The one that the header has more of: names of columns have neither. */
function separatorOf(text: string): string {
  const [header = ''] = /^[^\r\n]*/.exec(text.trimStart().slice(0, ROW_BYTES_MAX)) ?? [];
  const [comma, semicolon] = SEPARATORS.map((sign) => header.split(sign).length) as [number, number];
  return semicolon > comma ? ';' : ',';
}

function faultOfHeader(names: readonly string[], columns: readonly string[]): string | undefined {
  for (const [i, name] of names.entries()) {
    if (!columns.includes(name))
      return `${JSON.stringify(name.slice(0, 64))} is not a column; columns are ${columns.join(', ')}`;
    if (names.indexOf(name) !== i) return `the column ${name} is given twice`;
  }
  return undefined;
}

function cellsOf(names: readonly string[], record: readonly string[]): Record<string, string> {
  const cells: Record<string, string> = {};
  for (const [i, name] of names.entries()) {
    const cell = record[i];
    if (cell) cells[name] = cell.replace(/ *\n+ */g, ' ');
  }
  return cells;
}

const feedsIn = (record: readonly string[]): number =>
  record.reduce((sum, cell) => sum + cell.split('\n').length - 1, 0);

/** The parser's own messages repeat what was sent. */
function sentenceOf(error: CsvError): string {
  const line = `line ${(error as CsvError & { lines?: number }).lines ?? '?'}: `;
  switch (error.code) {
    case 'CSV_RECORD_INCONSISTENT_FIELDS_LENGTH':
    case 'CSV_RECORD_INCONSISTENT_COLUMNS':
      return `${line}this row has another number of cells than the header`;
    case 'CSV_QUOTE_NOT_CLOSED':
      return `${line}a quotation mark is not closed`;
    case 'CSV_MAX_RECORD_SIZE':
      return `${line}this row has more than ${ROW_BYTES_MAX} bytes; is a quotation mark not closed?`;
    default:
      return `${line}a quotation mark stands where none may: cells with quotation marks are quoted, and each mark is doubled`;
  }
}
