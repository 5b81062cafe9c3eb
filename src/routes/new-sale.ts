import type { Answer } from '../http/answer.ts';
import type { Asked } from '../http/asked.ts';
import { problem } from '../http/problem.ts';
import { readCsv } from '../intake/csv.ts';
import { readJson } from '../intake/json.ts';
import { ITEM_COLUMNS, numberOf, rawItemsOfRows } from '../intake/new-items.ts';
import { readNewSale, readNewTable, SALE_NUMBERS } from '../intake/new-sale.ts';
import { createPace, type Pace } from '../intake/pace.ts';
import { type Read, readText } from '../intake/text.ts';
import type { NewSale } from '../store/sales.ts';

const JSON_BODY = /^application\/(json|[\w.+-]+\+json)\s*(;|$)/i;
const CSV_BODY = /^text\/csv\s*(;|$)/i;
const CHARSET = /;\s*charset\s*=\s*"?([^\s";]*)/i;

type Result = Awaited<ReturnType<typeof readNewSale>>;

/** The sale that POST /admin/sales asks for, and the bytes of its body; or the refusal. */
export async function readSaleRequest(
  asked: Asked,
  userLimit: number,
): Promise<{ sale: NewSale; bytes: Uint8Array } | { refused: Answer }> {
  const type = asked.headers.contentType ?? '';
  const isCsv = CSV_BODY.test(type);
  const charset = CHARSET.exec(type)?.[1] ?? 'utf-8';
  if ((!isCsv && !JSON_BODY.test(type)) || !/^(utf-?8|us-ascii)$/i.test(charset))
    return { refused: problem(asked, 'unsupported_media_type') };
  let bytes: Uint8Array;
  try {
    bytes = (await asked.readBody?.()) ?? new Uint8Array();
  } catch {
    // The client has disconnected or was too slow, and gets no answer.
    return { refused: problem(asked, 'malformed_request') };
  }
  const text = readText(bytes);
  const read =
    'fault' in text ? text : await (isCsv ? readTable : readBody)(asked, text.value, userLimit, createPace());
  if ('fault' in read) {
    const sentence = `The request cannot be read: ${read.fault}.`;
    return { refused: problem(asked, 'malformed_request', undefined, undefined, sentence) };
  }
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

async function readTable(
  { query }: Asked,
  text: string,
  userLimit: number,
  pace: Pace,
): Promise<Read<Result>> {
  const rows = await readCsv(text, ITEM_COLUMNS, pace);
  if ('fault' in rows) return rows;
  const facts: Record<string, unknown> = Object.create(null);
  for (const [name, value] of query)
    facts[name] = SALE_NUMBERS.includes(name) && typeof value === 'string' ? numberOf(value) : value;
  return { value: await readNewTable(facts, rawItemsOfRows(rows.value), userLimit, Date.now(), pace) };
}
