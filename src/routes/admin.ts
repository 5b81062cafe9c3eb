import { answers, type Documented, operation } from '../contract/operation.ts';
import { count, listOf, named, objectOf, textOf } from '../contract/schema.ts';
import { ID_SCHEMA, SALE_ID_SCHEMA, text, time } from '../contract/schemas.ts';
import { STORY } from '../contract/story.ts';
import type { Parameter, Schema } from '../contract/types.ts';
import { type Answer, JSON_TYPE } from '../http/answer.ts';
import type { Asked } from '../http/asked.ts';
import { createPlaces } from '../http/places.ts';
import { problem } from '../http/problem.ts';
import { logFields } from '../http/request-log.ts';
import { formatTime } from '../http/time.ts';
import { CURRENCY, DATA_BYTES_MAX, IMAGE_URL, NAME, NAME_MAX, PRICE_MAX, URL_MAX } from '../intake/fields.ts';
import { ITEM_COLUMNS, type ITEM_FIELDS } from '../intake/new-items.ts';
import {
  PAYMENT_SECONDS,
  SALE_FACTS,
  type SALE_FIELDS,
  UNITS_MAX,
  USER_LIMIT_MAX,
} from '../intake/new-sale.ts';
import { ITEMS_MAX } from '../sale.ts';
import { insertSale, type NewSale, newSaleId } from '../store/sales.ts';
import type { RouteDeps } from './deps.ts';
import { readSaleRequest } from './new-sale.ts';
import { answerOnce, IDEMPOTENCY_KEY } from './once.ts';
import { NEW_QUEUE_SCHEMA } from './queue-settings.ts';

/** How long an answer waits, from the request on, until every worker sells from the sale; then it says that it is being loaded. */
const LOADED_MS = 8_000;
/** Of that, what is waited in any case: a small sale is loaded by then. */
const LOADED_LEAST_MS = 500;
/** Sales that a worker makes at a time; each holds one of its readers' connections to Postgres. */
const CREATING_MAX = 2;
const CREATED = 'Sale created successfully';
const LOADING =
  'Sale created; its items are being loaded and are for sale in some seconds: GET /sales/{id} says when.';

type AdminDeps = Pick<RouteDeps, 'config' | 'log' | 'postgres' | 'askPrimary'>;

/** POST /admin/sales: creates a sale with its own items, limit and times. Every worker sells from it before the answer. */
export const createSaleEndpoint = (deps: AdminDeps): Documented => {
  const places = createPlaces(CREATING_MAX);
  return {
    method: 'POST',
    path: '/admin/sales',
    operation: CREATE_SALE,
    async answer(asked) {
      const leave = places.take();
      if (leave === undefined) return problem(asked, 'overloaded');
      try {
        const read = await readSaleRequest(asked, deps.config.userLimit);
        return 'refused' in read ? read.refused : await create(deps, asked, read.sale, read.bytes);
      } finally {
        leave();
      }
    },
  };
};

async function create(
  { log, postgres, askPrimary }: AdminDeps,
  asked: Asked,
  sale: NewSale,
  bytes: Uint8Array,
): Promise<Answer> {
  const id = newSaleId();
  const answer = await answerOnce(postgres, 'sales', asked, bytes, async (client) => {
    await insertSale(client, id, sale);
    return { status: 201, location: `/sales/${id}`, body: JSON.stringify(bodyOf(id, sale)) };
  });
  if (answer.status !== 201) return answer;
  if (answer.headers?.['Idempotent-Replayed'] === undefined)
    log.info({ ...logFields(asked), sale: id, items: sale.total }, 'sale created');
  try {
    const waitedMs = performance.now() - asked.beganMs;
    await askPrimary('refresh-sales', Math.max(LOADED_MS - waitedMs, LOADED_LEAST_MS));
    return answer;
  } catch (err) {
    log.warn({ ...logFields(asked), err }, 'a sale was created and is not loaded yet');
    const { data } = JSON.parse(answer.body) as ReturnType<typeof bodyOf>;
    return { ...answer, status: 202, body: JSON.stringify({ data, message: LOADING }) };
  }
}

const bodyOf = (id: string, sale: NewSale) => ({
  data: {
    id,
    started_at: formatTime(sale.startsAtMs),
    ended_at: formatTime(sale.endsAtMs),
    total_items: sale.total,
  },
  message: CREATED,
});

const name = (description: string) => textOf(NAME, description, { maxLength: NAME_MAX });
const CURRENCY_SCHEMA = textOf(CURRENCY, 'The currency of the prices: a code of ISO 4217. Prices need it.');

/** What is said of an item in a body. */
export const NEW_ITEM_FIELDS: Record<(typeof ITEM_FIELDS)[number], Schema> = {
  id: {
    ...ID_SCHEMA,
    description: 'Unique within the sale: what did not sell may be listed again. Default: generated.',
  },
  name: name('The name of the item; not all of it blank.'),
  image_url: textOf(
    IMAGE_URL,
    'The address of its picture: `https://…`, `http://…` or a path of your site, `/…`. Default: a generated picture.',
    { maxLength: URL_MAX },
  ),
  price: count('In minor units of the currency: 1250 for 12.50. Needs `currency`.', 0, {
    maximum: PRICE_MAX,
  }),
  stock: count('Its units.', 1, { maximum: ITEMS_MAX, default: 1 }),
  data: {
    type: 'object',
    description: `What you keep with the item, such as a size: given back as it is. At most ${DATA_BYTES_MAX} bytes of JSON.`,
  },
};

/** The fields of a sale's body must be the ones that `readNewSale` knows. */
const NEW_SALE_FIELDS: Record<(typeof SALE_FIELDS)[number], Schema> = {
  total_items: count(
    'The number of items. Required without `items`; with `items`, it must be the number of their units.',
    1,
    { maximum: UNITS_MAX },
  ),
  started_at: time('When the sale opens. Default: the beginning of this hour.'),
  ended_at: time(
    'When the sale closes: after the start, in the future, at most 7 days after the start. Default: one hour after `started_at`, or one hour from now when that is left out too.',
  ),
  user_limit: count('Items that one user may buy in this sale. Default: `USER_LIMIT` of the service.', 1, {
    maximum: USER_LIMIT_MAX,
  }),
  currency: CURRENCY_SCHEMA,
  name: name('What you call the sale.'),
  payment_seconds: count(
    'How long the units of a purchase are held for its payment, which you confirm; unpaid ones go back on the shelf. Default: a purchase is final at once.',
    PAYMENT_SECONDS.min,
    { maximum: PAYMENT_SECONDS.max },
  ),
  queue: NEW_QUEUE_SCHEMA,
  items: listOf(
    named('NewItem', {
      type: 'object',
      properties: NEW_ITEM_FIELDS,
      additionalProperties: false,
      required: ['name'],
    }),
    {
      minItems: 1,
      description: 'Your own items, in their order. Default: generated.',
    },
  ),
};

const NEW_SALE_SCHEMA = named('NewSale', {
  type: 'object',
  properties: NEW_SALE_FIELDS,
  additionalProperties: false,
  anyOf: [
    { required: ['items'] },
    // Without items of its own, a sale has as many as units.
    { required: ['total_items'], properties: { total_items: { maximum: ITEMS_MAX } } },
  ],
});

/** With CSV, what a sale has beside its items. */
export const FACT_PARAMETERS = SALE_FACTS.map((fact): Parameter => {
  const { description = '', ...schema } = NEW_SALE_FIELDS[fact];
  return { name: fact, in: 'query', description: `Only with a CSV body. ${description}`, schema };
});

/** What is said of a new sale, in JSON or as a table. */
export const NEW_SALE_BODY = {
  required: true,
  content: {
    [JSON_TYPE]: {
      schema: NEW_SALE_SCHEMA,
      examples: {
        now: { summary: 'Your own items, now', value: STORY.newSale },
        later: { summary: 'Generated items, later', value: STORY.laterSale },
        priced: { summary: 'With prices', value: STORY.pricedSale },
      },
    },
    'text/csv': {
      schema: { type: 'string' },
      examples: { table: { summary: 'A table', value: STORY.table } },
    },
  },
};

const CREATED_SCHEMA = named(
  'CreatedSale',
  objectOf({
    data: objectOf({
      id: SALE_ID_SCHEMA,
      started_at: time('When the sale opens, UTC.'),
      ended_at: time('When the sale closes, UTC.'),
      total_items: count('Units of the sale: as many as items, where no item has a stock.', 1),
    }),
    message: text('A sentence.'),
  }),
);

const CREATE_SALE = operation({
  id: 'createSale',
  tag: 'Admin',
  summary: 'Create a sale',
  description: `Creates a sale with its own items, limit and times. Every worker sells from it before the answer 201 leaves; a sale that takes longer to load, one of some hundred thousand items, is answered 202. Sales may overlap; buyers name this one by \`sale_id\`.\n\nItems may also come as CSV: a header with the columns ${ITEM_COLUMNS.join(', ')} in any order, \`name\` among them, separated by commas or semicolons, and everything else as query parameters. Fields that are not known are refused, and every error names its field or line.\n\nRequires the admin token. Without a configured token, the path is open in development, and does not exist in production.`,
  isAdmin: true,
  parameters: [...FACT_PARAMETERS, IDEMPOTENCY_KEY],
  body: NEW_SALE_BODY,
  answers: {
    201: answers('The sale exists, and every worker sells from it.', CREATED_SCHEMA, STORY.created, [
      'Location',
      'Idempotent-Replayed',
    ]),
    202: answers(
      'The sale exists; its items are being loaded. `GET /sales/{id}` has `loading`, and the share that is `loaded`, until they are for sale.',
      CREATED_SCHEMA,
      { ...STORY.created, message: LOADING },
      ['Location', 'Idempotent-Replayed'],
    ),
  },
  problems: [
    'validation_failed',
    'malformed_request',
    'unauthorized',
    'not_found',
    'body_too_large',
    'unsupported_media_type',
    'idempotency_mismatch',
    'overloaded',
    'unavailable',
  ],
});
