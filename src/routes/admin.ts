import { createHash, timingSafeEqual } from 'node:crypto';
import { type Answer, json, type RequestContext } from '../http/answer.ts';
import { failureCode } from '../http/failure.ts';
import { type FieldErrors, isId } from '../http/input.ts';
import { problem } from '../http/problem.ts';
import { formatTime, parseTime } from '../http/time.ts';
import { ItemTaken, type NewSale } from '../store/sales.ts';

const HOUR_MS = 3_600_000;
export const TOTAL_MAX = 1_000_000;
export const USER_LIMIT_MAX = 100;
/** Names and image URLs: so many characters, none of them a control character. */
export const TEXT_MAX = 200;
export const TEXT = /^\P{Cc}+$/u;
/** A sale that lasts longer than a week is a typing error. */
const DURATION_MAX_MS = 7 * 24 * HOUR_MS;
export const SALE_FIELDS = ['total_items', 'started_at', 'ended_at', 'user_limit', 'items'] as const;

export interface AdminDeps {
  readonly token: string | undefined;
  readonly production: boolean;
  readonly userLimit: number;
  readonly createSale: (sale: NewSale) => Promise<string | undefined>;
  /** Makes a new sale known to Redis and to every worker before it resolves. */
  readonly refreshSales: () => Promise<void>;
  readonly onCreated: (context: RequestContext, saleId: string, sale: NewSale) => void;
  readonly onError: (context: RequestContext, error: unknown) => void;
}

/** The problem that keeps a request out of the admin API, or undefined when it may enter. */
export function guardAdmin(
  { token, production }: Pick<AdminDeps, 'token' | 'production'>,
  context: RequestContext,
  authorization: string | undefined,
): Answer | undefined {
  if (token === undefined) return production ? problem(context, 'not_found') : undefined;
  const given = /^Bearer (.+)$/i.exec(authorization ?? '')?.[1] ?? '';
  // Digests are of one length and tell nothing by the time that comparing them takes.
  const digest = (text: string) => createHash('sha256').update(text).digest();
  if (timingSafeEqual(digest(given), digest(token))) return undefined;
  return problem(context, 'unauthorized', undefined, { 'WWW-Authenticate': 'Bearer' });
}

/** POST /admin/sales: creates a sale with its own items, limit and times. `body` is parsed JSON. */
export function createSaleRoute(deps: AdminDeps) {
  return async (context: RequestContext, body: unknown): Promise<Answer> => {
    const read = readNewSale(body, deps.userLimit, Date.now());
    if ('errors' in read) return problem(context, 'validation_failed', { errors: read.errors });
    const { sale } = read;
    try {
      const id = (await deps.createSale(sale)) as string;
      await deps.refreshSales();
      deps.onCreated(context, id, sale);
      const data = {
        id,
        started_at: formatTime(sale.startsAtMs),
        ended_at: formatTime(sale.endsAtMs),
        total_items: sale.total,
      };
      return json(201, { data, message: 'Sale created successfully' }, { Location: `/sales/${id}` });
    } catch (error) {
      if (error instanceof ItemTaken) {
        const errors = { items: `items: the id ${error.message} exists already` };
        return problem(context, 'validation_failed', { errors });
      }
      deps.onError(context, error);
      return problem(context, failureCode(error));
    }
  };
}

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
  const endsAtMs = readTime(fields, 'ended_at', startsAtMs + HOUR_MS, errors);
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
    // A list of a thousand broken items needs no thousand sentences.
    if (Object.keys(errors).length >= 20) break;
  }
  return items;
}

const isText = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= TEXT_MAX && TEXT.test(value);
