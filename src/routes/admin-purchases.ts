import { answers, type Documented, operation } from '../contract/operation.ts';
import { header, path, query } from '../contract/parameters.ts';
import { count, listOf, named, objectOf, withOptional } from '../contract/schema.ts';
import {
  CODE_SCHEMA,
  flag,
  ID_SCHEMA,
  PURCHASE_STATE_SCHEMA,
  PURCHASED_LINES_SCHEMA,
  RECEIPT_EXTRAS,
  RECEIPT_FIELDS,
  SALE_ID_SCHEMA,
  text,
  time,
  USER_ID_SCHEMA,
} from '../contract/schemas.ts';
import { STORY } from '../contract/story.ts';
import { type CancellationView, type PurchaseView, viewOfPurchase } from '../feed/purchase-view.ts';
import { preferred } from '../http/accept.ts';
import { type Answer, JSON_TYPE, json } from '../http/answer.ts';
import type { Asked } from '../http/asked.ts';
import { csvRow } from '../http/csv.ts';
import { type FieldErrors, oneOf, readNumber, readParameter, refuseOthers, USER } from '../http/input.ts';
import { linkToNext } from '../http/paging.ts';
import { createPlaces } from '../http/places.ts';
import { problem } from '../http/problem.ts';
import { CHECKOUT_CODE, saleOfCode } from '../store/checkouts.ts';
import { eachPage, listPurchases, type PurchasesFilter } from '../store/purchase-pages.ts';
import { PURCHASE_STATES, type PurchaseState } from '../store/purchase-state.ts';
import type { CommittedDecision } from '../store/receipts.ts';
import { findSale } from '../store/sale-list.ts';
import type { RouteDeps } from './deps.ts';
import { SALE_PATH } from './sales.ts';

/** Exports under way per worker: each keeps one page in memory and one of the connections for reading half busy. */
const EXPORTS_MAX = 2;
/** Purchases of one statement of an export: some 20 ms, and half a MiB of text. */
const EXPORT_ROWS = 1_000;

const CSV_TYPE = 'text/csv';
const NDJSON_TYPE = 'application/x-ndjson';
const CODE = { required: false, pattern: CHECKOUT_CODE, form: 'a checkout code' } as const;
const PARAMETERS = {
  limit: { fallback: 100, min: 1, max: 1_000 },
  after: CODE,
  user_id: { ...USER, required: false },
  state: oneOf(...PURCHASE_STATES),
  code: CODE,
  item_id: { required: false },
} as const;
/** A receipt may hold what only its buyer and the shop should know. */
const PRIVATE = { 'Cache-Control': 'no-store' };

type AdminDeps = Pick<RouteDeps, 'postgres' | 'onError'>;

/** GET /admin/sales/{id}/purchases: what was bought in a sale, in pages, or all of it as CSV or NDJSON. */
export const purchasesOfSaleEndpoint = ({ postgres, onError }: AdminDeps): Documented => {
  const exports = createPlaces(EXPORTS_MAX);

  const answerAll = (asked: Asked, filter: PurchasesFilter, type: ExportType): Answer => {
    const leave = exports.take();
    if (leave === undefined) return problem(asked, 'overloaded');
    const parts = async function* () {
      try {
        yield FORMATS[type].head;
        for await (const page of eachPage(postgres, filter, EXPORT_ROWS))
          yield page.map(FORMATS[type].rowOf).join('');
      } catch (error) {
        onError(asked, error);
        throw error;
      }
    };
    return { status: 200, type, body: '', headers: PRIVATE, stream: { parts, onEnd: leave } };
  };

  return {
    method: 'GET',
    path: '/admin/sales/:id/purchases',
    operation: LIST_PURCHASES,
    async answer(asked) {
      const saleId = asked.params.id as string;
      const type = preferred(asked.headers.accept, [JSON_TYPE, CSV_TYPE, NDJSON_TYPE]);
      const read = readFilter(asked, saleId, type === JSON_TYPE);
      if ('errors' in read) return problem(asked, 'validation_failed', { errors: read.errors });
      const { filter, limit } = read;
      if ((await findSale(postgres, saleId)) === undefined) return problem(asked, 'sale_not_found');
      if (type !== JSON_TYPE) return answerAll(asked, filter, type);
      const rows = await listPurchases(postgres, filter, limit + 1);
      const shown = rows.slice(0, limit);
      const next = rows.length > limit ? shown.at(-1)?.decision.code : undefined;
      const link = linkToNext(asked.path, limit, next, paramsOf(filter));
      return json(200, shown.map(viewOfPurchase), { ...PRIVATE, ...link });
    },
  };
};

function readFilter(
  { query: asked }: Asked,
  saleId: string,
  inPages: boolean,
): { filter: PurchasesFilter; limit: number } | { errors: FieldErrors } {
  const errors: FieldErrors = {};
  // An export has no pages: a limit would be ignored.
  const names = Object.keys(PARAMETERS).filter((name) => inPages || name !== 'limit');
  refuseOthers(asked, names, errors);
  const limit = inPages ? readNumber(asked, 'limit', PARAMETERS.limit, errors) : EXPORT_ROWS;
  const read = (name: Exclude<keyof typeof PARAMETERS, 'limit'>) =>
    readParameter(asked, name, PARAMETERS[name], errors);
  const [after, userId, code, itemId] = [read('after'), read('user_id'), read('code'), read('item_id')];
  const state = read('state') as PurchaseState | undefined;
  for (const [name, each] of Object.entries({ after, code }))
    if (each !== undefined && saleOfCode(each) !== saleId)
      errors[name] = `${name} must be a code of this sale`;
  if (Object.keys(errors).length > 0) return { errors };
  const given = { ...(after && { after }), ...(userId && { userId }), ...(code && { code }) };
  return { filter: { saleId, ...given, ...(itemId && { itemId }), ...(state && { state }) }, limit };
}

const paramsOf = ({ userId, code, itemId, state }: PurchasesFilter): Record<string, string> => ({
  ...(userId && { user_id: userId }),
  ...(code && { code }),
  ...(itemId && { item_id: itemId }),
  ...(state && { state }),
});

type ExportType = typeof CSV_TYPE | typeof NDJSON_TYPE;
interface Format {
  readonly head: string;
  readonly rowOf: (row: CommittedDecision) => string;
}

const COLUMNS = [
  ...['purchased_at', 'code', 'user_id', 'state', 'item_id', 'item_name'],
  ...['quantity', 'price', 'cancelled'],
];
/** CSV has a row per bought item, NDJSON a line per purchase. */
const FORMATS: Readonly<Record<ExportType, Format>> = {
  [CSV_TYPE]: {
    head: csvRow(COLUMNS),
    rowOf(row) {
      const { purchased_items: items, code, user_id: user, purchased_at: at, state } = viewOfPurchase(row);
      const bought = items.filter(({ sold }) => sold);
      const cellsOf = ({ id, name, quantity = 1, price, cancelled = 0 }: (typeof items)[number]) => [
        at,
        code,
        user,
        state,
        id,
        name,
        `${quantity}`,
        `${price ?? ''}`,
        `${cancelled}`,
      ];
      return bought.map((item) => csvRow(cellsOf(item))).join('');
    },
  },
  [NDJSON_TYPE]: { head: '', rowOf: (row) => `${JSON.stringify(viewOfPurchase(row))}\n` },
};

const CANCELLATION_SCHEMA = withOptional(
  objectOf<Omit<CancellationView, 'reason'>>({
    cancelled_at: time('When, UTC.'),
    restocked: flag('Whether the units can be bought again.'),
    items: listOf(objectOf({ id: ID_SCHEMA, quantity: count('Units.', 1) })),
  }),
  { reason: text('Why.') },
);
export const CODE_PATH = path('code', CODE_SCHEMA, 'The code that was purchased.', STORY.code);
const { success: _, purchased_items: __, ...RECEIPT } = RECEIPT_FIELDS;
export const PURCHASE_SCHEMA = named(
  'Purchase',
  withOptional(
    objectOf<Omit<PurchaseView, keyof typeof RECEIPT_EXTRAS | 'cancellations'>>({
      code: CODE_SCHEMA,
      sale_id: SALE_ID_SCHEMA,
      user_id: USER_ID_SCHEMA,
      purchased_at: time('When it was decided, UTC.'),
      state: PURCHASE_STATE_SCHEMA,
      purchased_items: PURCHASED_LINES_SCHEMA,
      ...RECEIPT,
    }),
    {
      ...RECEIPT_EXTRAS,
      cancellations: listOf(CANCELLATION_SCHEMA, {
        description: 'What was cancelled of it, in that order; left out where nothing was.',
      }),
    },
  ),
);

const TEXT_CONTENT = { schema: { type: 'string' } };
const PURCHASES = answers(
  'The purchases.',
  listOf(PURCHASE_SCHEMA),
  [STORY.purchase],
  ['Cache-Control', 'Link'],
);

const LIST_PURCHASES = operation({
  id: 'listPurchases',
  tag: 'Admin',
  summary: 'What was bought in a sale',
  description:
    'The committed purchases that bought something, in the order of their codes, which is none in time. As JSON in pages: the header `Link` leads to the next one. With `Accept: text/csv` (a row per bought item) or `Accept: application/x-ndjson` (a line per purchase) all of them, however many; a connection that breaks before the last chunk means that some are missing: go on with `after`. In CSV, a cell that a spreadsheet would run as a formula (`= + - @`, tab, CR) begins with a single quote.\n\nWhat is bought behind `after` while you read may be missed: for every purchase as it comes, follow the events.',
  isAdmin: true,
  parameters: [
    SALE_PATH,
    query('limit', PARAMETERS.limit, 'Purchases per page; only as JSON.', { example: 10 }),
    query('after', PARAMETERS.after, 'The last code of the page before.'),
    query('user_id', PARAMETERS.user_id, 'Only those of this user.', { example: STORY.user }),
    query('state', PARAMETERS.state, 'Only those in this state.', { example: PURCHASE_STATES[0] }),
    query('code', PARAMETERS.code, 'Only the one of this code.'),
    query('item_id', PARAMETERS.item_id, 'Only those that bought this item.', { example: STORY.item }),
    header('Accept', 'The form of the answer.', {
      type: 'string',
      enum: [JSON_TYPE, CSV_TYPE, NDJSON_TYPE],
    }),
  ],
  answers: {
    200: {
      ...PURCHASES,
      content: { ...PURCHASES.content, [CSV_TYPE]: TEXT_CONTENT, [NDJSON_TYPE]: TEXT_CONTENT },
    },
  },
  problems: ['validation_failed', 'unauthorized', 'sale_not_found', 'overloaded', 'unavailable'],
});
