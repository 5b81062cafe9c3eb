import type { FieldErrors } from '../http/input.ts';
import { TIME_MAX_MS } from '../http/time.ts';
import { ITEMS_MAX } from '../sale.ts';
import type { NewSaleItem } from '../store/new-items.ts';
import type { NewSale } from '../store/sales.ts';
import { createFaults, type Faults } from './faults.ts';
import {
  type Fields,
  isObject,
  readCurrency,
  readName,
  readTime,
  refuseUnknown,
  wholeNumber,
} from './fields.ts';
import { type RawItem, rawItemsOf, readItems } from './new-items.ts';
import type { Pace } from './pace.ts';
import { readNewQueue } from './queue.ts';

const HOUR_MS = 3_600_000;
/** Units of one sale: Postgres counts them in 31 bits. */
export const UNITS_MAX = 1_000_000_000;
export const USER_LIMIT_MAX = 100;
/** A sale longer than a week is a typing error. */
export const DURATION_MAX_MS = 7 * 24 * HOUR_MS;
/**
 * Seconds that a purchase may wait for its payment. Below ten a card's second factor is hopeless, and a notice of the payment that is
 * sent again comes too late; a day is what a bank transfer takes, and units that are held for longer are not for sale in any drop.
 */
export const PAYMENT_SECONDS = { min: 10, max: 86_400 } as const;
/** What a sale has beside its items. */
export const SALE_FACTS = [
  'total_items',
  'started_at',
  'ended_at',
  'user_limit',
  'currency',
  'name',
  'payment_seconds',
  'queue',
] as const;
export const SALE_FIELDS = [...SALE_FACTS, 'items'] as const;

/** Those that are numbers; in a query they are texts. */
export const SALE_NUMBERS: readonly string[] = ['total_items', 'user_limit', 'payment_seconds'];

const OF_SALE = 'a field of a sale, which has';

type Result = { readonly sale: NewSale } | { readonly errors: FieldErrors };

/** Without items of its own, a sale has as many as units. */
const readTotal = wholeNumber(1, ITEMS_MAX);
const readUnits = wholeNumber(1, UNITS_MAX);
const readUserLimit = wholeNumber(1, USER_LIMIT_MAX);
const readPaymentSeconds = wholeNumber(PAYMENT_SECONDS.min, PAYMENT_SECONDS.max);

/** Checks the JSON body of POST /admin/sales and fills in what it leaves out. Names the errors of all fields at once. */
export async function readNewSale(
  body: unknown,
  userLimit: number,
  nowMs: number,
  pace: Pace,
): Promise<Result> {
  if (!isObject(body)) return { errors: { body: 'the body must be a JSON object' } };
  const faults = createFaults();
  refuseUnknown(body, SALE_FIELDS, OF_SALE, faults);
  const raw = body.items === undefined ? undefined : await rawItemsOf(body.items, faults, pace);
  return readSale(body, raw, { userLimit, nowMs, faults, pace });
}

/** The same for a sale whose items are the rows of a table, and whose other facts are texts. */
export async function readNewTable(
  facts: Fields,
  items: readonly RawItem[],
  userLimit: number,
  nowMs: number,
  pace: Pace,
): Promise<Result> {
  const faults = createFaults();
  refuseUnknown(facts, SALE_FACTS, OF_SALE, faults);
  if (items.length === 0) faults.add('items', 'items must be at least one row below the header');
  return readSale(facts, items, { userLimit, nowMs, faults, pace });
}

interface Reading {
  readonly userLimit: number;
  readonly nowMs: number;
  readonly faults: Faults;
  readonly pace: Pace;
}

async function readSale(
  fields: Fields,
  raw: readonly RawItem[] | undefined,
  { userLimit: limitDefault, nowMs, faults, pace }: Reading,
): Promise<Result> {
  const currency = readCurrency(fields.currency, 'currency', faults);
  const name = readName(fields.name, 'name', faults);
  const userLimit = readUserLimit(fields.user_limit, 'user_limit', faults) ?? limitDefault;
  const paymentSeconds = readPaymentSeconds(fields.payment_seconds, 'payment_seconds', faults);
  const { startsAtMs, endsAtMs } = readSpan(fields, nowMs, faults);
  const queue = readNewQueue(fields.queue, startsAtMs, faults);
  const items =
    raw && (await readItems(raw, { areNew: true, hasCurrency: fields.currency !== undefined }, faults, pace));
  const units = items?.reduce((sum, { stock = 1 }) => sum + stock, 0);
  const given = (raw ? readUnits : readTotal)(fields.total_items, 'total_items', faults);
  const total = given ?? units ?? 0;
  if (raw === undefined && fields.total_items === undefined)
    faults.add('total_items', 'total_items is required');
  if (units !== undefined && units > UNITS_MAX)
    faults.add('items', `items must have at most ${UNITS_MAX} units together, not ${units}`);
  if (raw && units === raw.length && total !== units && given !== undefined)
    faults.add('total_items', `total_items must be the number of items, ${raw.length}, or be left out`);
  else if (units !== undefined && total !== units && given !== undefined)
    faults.add('total_items', `total_items must be the number of units, ${units}, or be left out`);
  if (faults.count > 0) return { errors: faults.errors() };
  return {
    sale: {
      ...{ startsAtMs, endsAtMs, total, userLimit, hourly: false },
      ...(currency !== undefined && { currency }),
      ...(name !== undefined && { name }),
      ...(paymentSeconds !== undefined && { paymentSeconds }),
      ...(queue && { queue }),
      // Without faults each has a name.
      ...(items && { items: items as readonly NewSaleItem[] }),
    },
  };
}

function readSpan(fields: Fields, nowMs: number, faults: Faults): { startsAtMs: number; endsAtMs: number } {
  const before = faults.count;
  const startsAtMs = readTime(fields.started_at, 'started_at', faults) ?? nowMs - (nowMs % HOUR_MS);
  // A sale without times has an hour left, to the next whole second: one made at 18:58 must not end at 19:00.
  const lastsFromMs = fields.started_at === undefined ? Math.ceil(nowMs / 1_000) * 1_000 : startsAtMs;
  const endsAtMs = readTime(fields.ended_at, 'ended_at', faults) ?? lastsFromMs + HOUR_MS;
  const refuse = (what: string) => faults.add('ended_at', `ended_at must be ${what}`);
  if (faults.count > before) return { startsAtMs, endsAtMs };
  if (endsAtMs <= startsAtMs) refuse('later than started_at');
  else if (endsAtMs <= nowMs) refuse('in the future');
  else if (endsAtMs > TIME_MAX_MS) refuse('before the year 10000');
  else if (endsAtMs - startsAtMs > DURATION_MAX_MS) refuse('within 7 days of started_at');
  return { startsAtMs, endsAtMs };
}
