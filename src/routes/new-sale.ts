import type { Asked } from '../http/asked.ts';
import { problem } from '../http/problem.ts';
import { readCsv } from '../intake/csv.ts';
import { readJson } from '../intake/json.ts';
import { ITEM_COLUMNS, numberOf, rawItemsOfRows } from '../intake/new-items.ts';
import { readNewSale, readNewTable, SALE_NUMBERS } from '../intake/new-sale.ts';
import { createPace, type Pace } from '../intake/pace.ts';
import { type Read, readText } from '../intake/text.ts';
import type { NewSale } from '../store/sales.ts';
import { isInUtf8, isJson, type Refused, readBytes, unreadable } from './body.ts';

const CSV_BODY = /^text\/csv\s*(;|$)/i;

type Result = Awaited<ReturnType<typeof readNewSale>>;

/** The sale that POST /admin/sales asks for, and the bytes of its body; or the refusal. */
export async function readSaleRequest(
  asked: Asked,
  userLimit: number,
): Promise<{ sale: NewSale; bytes: Uint8Array } | Refused> {
  const type = asked.headers.contentType ?? '';
  const isCsv = CSV_BODY.test(type);
  if ((!isCsv && !isJson(type)) || !isInUtf8(type))
    return { refused: problem(asked, 'unsupported_media_type') };
  const body = await readBytes(asked);
  if ('refused' in body) return body;
  const { bytes } = body;
  const text = readText(bytes);
  const read =
    'fault' in text ? text : await (isCsv ? readTable : readBody)(asked, text.value, userLimit, createPace());
  if ('fault' in read) return { refused: unreadable(asked, read.fault) };
  const { value } = read;
  if ('errors' in value) return { refused: problem(asked, 'validation_failed', { errors: value.errors }) };
  return { sale: value.sale, bytes };
}

async function readBody(
  { query }: Asked,
  text: string,
  userLimit: number,
  pace: Pace,
): Promise<Read<Result>> {
  const body = await readJson(text, pace);
  if ('fault' in body) return body;
  const names = [...query.keys()];
  if (names.length > 0) {
    const errors = Object.fromEntries(
      names.map((name) => [name, `${name} belongs into the body, not into the query`]),
    );
    return { value: { errors } };
  }
  return { value: await readNewSale(body.value, userLimit, Date.now(), pace) };
}

/** A fact of a sale as the query of a table gives it: numbers as texts, and a queue as JSON. */
function factOf(name: string, value: string | readonly string[]): unknown {
  if (typeof value !== 'string') return value;
  if (SALE_NUMBERS.includes(name)) return numberOf(value);
  if (name !== 'queue') return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

async function readTable(
  { query }: Asked,
  text: string,
  userLimit: number,
  pace: Pace,
): Promise<Read<Result>> {
  const rows = await readCsv(text, ITEM_COLUMNS, pace);
  if ('fault' in rows) return rows;
  const facts: Record<string, unknown> = Object.create(null);
  for (const [name, value] of query) facts[name] = factOf(name, value);
  const items = await rawItemsOfRows(rows.value, pace);
  return { value: await readNewTable(facts, items, userLimit, Date.now(), pace) };
}
