import { type FieldErrors, isId } from '../http/input.ts';
import { parseTime } from '../http/time.ts';
import type { NewSale } from '../store/sales.ts';

const HOUR_MS = 3_600_000;
export const TOTAL_MAX = 1_000_000;
export const USER_LIMIT_MAX = 100;
/** The longest name or image URL, in characters; none may be a control character. */
export const TEXT_MAX = 200;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it keeps out
export const TEXT = /^[^\u0000-\u001f\u007f-\u009f]+$/;
/** A sale longer than a week is a typing error. */
export const DURATION_MAX_MS = 7 * 24 * HOUR_MS;
export const SALE_FIELDS = ['total_items', 'started_at', 'ended_at', 'user_limit', 'items'] as const;

type Items = NonNullable<NewSale['items']>;

/** Checks the body of POST /admin/sales and fills in what it leaves out. All errors at once. */
export function readNewSale(
  body: unknown,
  userLimitDefault: number,
  nowMs: number,
): { sale: NewSale } | { errors: FieldErrors } {
  const errors: FieldErrors = {};
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    return { errors: { body: 'the body must be a JSON object' } };
  }
  const fields = body as Record<string, unknown>;
  for (const name of Object.keys(fields)) {
    if (!(SALE_FIELDS as readonly string[]).includes(name)) {
      errors[name] = `${name} is not a field of a sale`;
    }
  }
  const items = fields.items === undefined ? undefined : readItems(fields.items, errors);
  const total = readCount(fields, 'total_items', TOTAL_MAX, items?.length, errors);
  if (items && total !== items.length) errors.total_items = 'total_items must be the number of items';
  const userLimit = readCount(fields, 'user_limit', USER_LIMIT_MAX, userLimitDefault, errors);
  const startsAtMs = readTime(fields, 'started_at', nowMs - (nowMs % HOUR_MS), errors);
  // A sale without times has an hour left, to the next whole second: one made at 18:58 must not end at 19:00.
  const lastsFromMs = fields.started_at === undefined ? Math.ceil(nowMs / 1_000) * 1_000 : startsAtMs;
  const endsAtMs = readTime(fields, 'ended_at', lastsFromMs + HOUR_MS, errors);
  if (endsAtMs <= startsAtMs) errors.ended_at = 'ended_at must be later than started_at';
  else if (endsAtMs <= nowMs) errors.ended_at = 'ended_at must be in the future';
  else if (endsAtMs - startsAtMs > DURATION_MAX_MS)
    errors.ended_at = 'ended_at must be within 7 days of started_at';
  if (Object.keys(errors).length > 0) return { errors };
  return { sale: { startsAtMs, endsAtMs, total, userLimit, hourly: false, ...(items && { items }) } };
}

function readCount(
  fields: Record<string, unknown>,
  name: string,
  max: number,
  fallback: number | undefined,
  errors: FieldErrors,
): number {
  const value = fields[name] === undefined ? fallback : fields[name];
  if (value === undefined) errors[name] = `${name} is required`;
  else if (!Number.isInteger(value) || (value as number) < 1 || (value as number) > max) {
    errors[name] = `${name} must be a whole number from 1 to ${max}`;
  } else return value as number;
  return 0;
}

function readTime(
  fields: Record<string, unknown>,
  name: string,
  fallback: number,
  errors: FieldErrors,
): number {
  if (fields[name] === undefined) return fallback;
  const ms = parseTime(fields[name]);
  if (ms === undefined) errors[name] = `${name} must be a time like 2026-11-22T08:00:00Z`;
  return ms ?? fallback;
}

function readItems(value: unknown, errors: FieldErrors): Items | undefined {
  if (!Array.isArray(value) || value.length === 0) {
    errors.items = 'items must be a list of at least one item';
    return undefined;
  }
  const seen = new Set<string>();
  const items: { id?: string; name: string; imageUrl?: string }[] = [];
  for (const [i, raw] of value.entries()) {
    const { id, name, image_url: imageUrl } = (raw ?? {}) as Record<string, unknown>;
    if (!isText(name)) errors[`items[${i}].name`] = `name must be 1 to ${TEXT_MAX} printable characters`;
    if (id !== undefined && (!isId(id) || seen.has(id))) {
      errors[`items[${i}].id`] = 'id must be 1 to 64 characters of A-Z a-z 0-9 . _ : - and occur once';
    }
    if (imageUrl !== undefined && !isText(imageUrl))
      errors[`items[${i}].image_url`] = 'image_url must be a URL';
    if (typeof id === 'string') seen.add(id);
    items.push({
      name: name as string,
      ...(id !== undefined && { id: id as string }),
      ...(imageUrl !== undefined && { imageUrl: imageUrl as string }),
    });
    // A thousand broken items need no thousand sentences.
    if (Object.keys(errors).length >= 20) break;
  }
  return items;
}

const isText = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= TEXT_MAX && TEXT.test(value);
