/** Ids of items and sales: strict enough to be safe in a key, a log line and a COPY row as they are. */
export const ID = /^[A-Za-z0-9._:-]{1,64}$/;
/**
 * A user's id: 1 to 128 printable ASCII characters but space, `"` and `\`, as identity providers give them. Scripts and decisions
 * separate words by spaces, COPY escapes by `\`, and log lines are JSON made by hand: an id stands in all of them as it is.
 */
export const USER_ID = /^[!#-[\]-~]{1,128}$/;
/** Completes "… must be". */
const USER_ID_FORM = '1 to 128 printable ASCII characters without space, " and \\';
/** An X-Request-Id that is accepted from a client. */
export const REQUEST_ID = /^[A-Za-z0-9._-]{1,128}$/;
/** https://www.w3.org/TR/trace-context/#traceparent-header */
export const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** What a parameter must be: of the form of an id unless `pattern` says otherwise; `form` completes "… must be". */
export interface ParameterRule {
  readonly required: boolean;
  readonly pattern?: RegExp;
  readonly form?: string;
  /** The only values there are, when they are few. */
  readonly words?: readonly string[];
}

/** A whole number within bounds, `fallback` when it is absent. */
export interface NumberRule {
  readonly fallback: number;
  readonly min: number;
  readonly max: number;
}

/** The rule of an optional parameter that is one of a few words. */
export const oneOf = (...words: readonly string[]): ParameterRule => ({
  required: false,
  words,
  pattern: new RegExp(`^(${words.join('|')})$`),
  form: `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`,
});

/** The rule of a parameter that is a user's id. */
export const USER: ParameterRule = { required: true, pattern: USER_ID, form: USER_ID_FORM };

/** Sentences by field, for `validation_failed`. */
export type FieldErrors = Record<string, string>;

/** The query of a URL: name → value, or all its values when it was given more than once. */
export type Query = ReadonlyMap<string, string | readonly string[]>;

/** Splits a request target into path and query. */
export function splitTarget(target: string): { path: string; query: Query } {
  const mark = target.indexOf('?');
  if (mark < 0) return { path: target, query: new Map() };
  return { path: target.slice(0, mark), query: parseQuery(target.slice(mark + 1)) };
}

/** Reads a query, what stands behind the question mark. */
export function parseQuery(text: string): Query {
  const query = new Map<string, string | string[]>();
  for (const pair of text.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = decode(equals < 0 ? pair : pair.slice(0, equals));
    const value = decode(equals < 0 ? '' : pair.slice(equals + 1));
    const before = query.get(name);
    query.set(name, before === undefined ? value : ([] as string[]).concat(before, value));
  }
  return query;
}

/** What broken percent-encoding is read as: no parameter has a form that it fits, though a user's id may hold a percent sign. */
const BROKEN = '\uFFFD';

function decode(text: string): string {
  if (!/[%+]/.test(text)) return text;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return BROKEN;
  }
}

/** Reads one parameter; notes a sentence in `errors` when it is given twice, missing though required, or malformed. */
export function readParameter(
  query: Query,
  name: string,
  rule: ParameterRule,
  errors: FieldErrors,
): string | undefined {
  const value = query.get(name);
  if (value === undefined || value === '') {
    if (rule.required) errors[name] = `${name} is required`;
    return undefined;
  }
  if (typeof value !== 'string') {
    errors[name] = `${name} must be given once`;
    return undefined;
  }
  if (!(rule.pattern ?? ID).test(value)) {
    errors[name] = `${name} must be ${rule.form ?? '1 to 64 characters of A-Z a-z 0-9 . _ : -'}`;
    return undefined;
  }
  return value;
}

/** Reads a whole number within bounds, or the fallback when it is absent. */
export function readNumber(
  query: Query,
  name: string,
  { fallback, min, max }: NumberRule,
  errors: FieldErrors,
): number {
  const form = `a whole number from ${min} to ${max}`;
  const text = readParameter(query, name, { required: false, pattern: /^\d{1,9}$/, form }, errors);
  if (text === undefined) return fallback;
  const value = Number(text);
  if (value < min || value > max) errors[name] = `${name} must be ${form}`;
  return value;
}

/** Notes a sentence for each parameter that is not in `names`: a misspelt filter would otherwise be ignored. */
export function refuseOthers(query: Query, names: readonly string[], errors: FieldErrors): void {
  for (const name of query.keys()) {
    if (!names.includes(name))
      errors[name] = `${name} is not a parameter of this path, which takes ${names.join(', ')}`;
  }
}

export const isId = (text: unknown): text is string => typeof text === 'string' && ID.test(text);
