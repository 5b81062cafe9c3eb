import { isId } from '../http/input.ts';
import { parseTime } from '../http/time.ts';
import type { Faults } from './faults.ts';

/** The longest name, in characters. */
export const NAME_MAX = 200;
/** The longest image URL: signed ones of picture services are long. */
export const URL_MAX = 2_000;
/** A price in minor units: ten billion of a currency with cents. */
export const PRICE_MAX = 1_000_000_000_000;
/** JSON of what a shop keeps with an item, in bytes: it travels with every page of items. */
export const DATA_BYTES_MAX = 1_024;
/** No control character, no separator of lines or paragraphs. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it keeps out
export const NAME = /^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]+$/;
/** A blank, a zero-width space and a soft hyphen show nothing. */
const VISIBLE = /[\p{L}\p{N}\p{P}\p{S}]/u;
/** A web address, or a path of this site: what a page can show, and no script. */
export const IMAGE_URL = /^(https?:\/\/[^\s"<>\\^`{|}]+|\/(?![/\\])[^\s"<>\\^`{|}]*)$/;
export const CURRENCY = /^[A-Z]{3}$/;
const CURRENCIES = new Set(Intl.supportedValuesOf('currency'));

/** Reads a field that may be absent; notes in `faults` what it must be. `path` names it for people. */
export type ReadField<T> = (value: unknown, path: string, faults: Faults) => T | undefined;

/** The longest name of a field that a sentence repeats. */
const FIELD_MAX = 64;

/** What was sent, by the names of its fields. */
export type Fields = Readonly<Record<string, unknown>>;

/** Whether a value is an object with fields: no list, and not null. */
export const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Notes fields that are not known, as "colour is not `what` known, known": `what` is "a field of a sale, which has". */
export function refuseUnknown(
  fields: Fields,
  known: readonly string[],
  what: string,
  faults: Faults,
  at = '',
): void {
  for (const field of Object.keys(fields)) {
    if (known.includes(field)) continue;
    const name = field.slice(0, FIELD_MAX);
    faults.add(at + name, `${name} is not ${what} ${known.join(', ')}`);
  }
}

/** What a value is, for "…, not a number". */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  if (typeof value === 'boolean') return String(value);
  return typeof value === 'number' ? 'a number' : 'a text';
}

/** A reader of values for which `accepts` holds; `type` is what typeof says of them. */
const reader =
  <T>(type: 'string' | 'number' | 'object', form: string, accepts: (value: T) => boolean): ReadField<T> =>
  (value, path, faults) => {
    if (value === undefined) return undefined;
    const fits = typeof value === type && value !== null && !Array.isArray(value);
    if (fits && accepts(value as T)) return value as T;
    const name = /[^.\s]+$/.exec(path)?.[0];
    faults.add(path, `${name} must be ${form}${fits ? '' : `, not ${kindOf(value)}`}`);
    return undefined;
  };

export const wholeNumber = (min: number, max: number, what = ''): ReadField<number> =>
  reader(
    'number',
    `a whole number${what} from ${min} to ${max}`,
    (value: number) => Number.isInteger(value) && value >= min && value <= max,
  );

export const readName = reader(
  'string',
  `1 to ${NAME_MAX} printable characters, not all of them blank`,
  (value: string) => isShort(value) && NAME.test(value) && VISIBLE.test(value),
);

export const readImageUrl = reader(
  'string',
  `an address that begins with https://, http:// or /, of at most ${URL_MAX} characters`,
  (value: string) =>
    value.length <= URL_MAX && IMAGE_URL.test(value) && URL.canParse(value, 'http://localhost'),
);

export const readItemId = reader('string', '1 to 64 characters of A-Z a-z 0-9 . _ : -', (value: string) =>
  isId(value),
);

export const readPrice = wholeNumber(0, PRICE_MAX, ' of minor units (1250 for 12.50)');

export const readCurrency = reader('string', 'a currency code of ISO 4217 like EUR', (value: string) =>
  CURRENCIES.has(value),
);

/** A time in ms since 1970. */
export const readTime: ReadField<number> = (value, path, faults) => {
  if (value === undefined) return undefined;
  const ms = parseTime(value);
  if (ms === undefined) faults.add(path, `${path} must be a time like 2026-11-22T08:00:00Z`);
  return ms;
};

const readObject = reader<object>('object', 'an object', () => true);

/** An object, as JSON. */
export const readData: ReadField<string> = (value, path, faults) => {
  const object = readObject(value, path, faults);
  if (object === undefined) return undefined;
  const json = JSON.stringify(object);
  // Postgres' texts and JSON cannot hold U+0000.
  if (Buffer.byteLength(json) <= DATA_BYTES_MAX && !json.includes('\\u0000')) return json;
  faults.add(path, `data must be at most ${DATA_BYTES_MAX} bytes of JSON, without U+0000`);
  return undefined;
};

/** In characters as people count them, where UTF-16 units are too many. */
const isShort = (text: string): boolean =>
  text.length <= NAME_MAX || [...text.slice(0, 2 * NAME_MAX + 1)].length <= NAME_MAX;
