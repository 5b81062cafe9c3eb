import { type NumberRule, type ParameterRule, REQUEST_ID, TRACEPARENT } from '../http/input.ts';
import { CHECKOUT_QUERY } from '../routes/checkout.ts';
import { CODE } from '../routes/purchase.ts';
import { ITEMS_QUERY, SALES_QUERY } from '../routes/sales.ts';
import { ref, textOf } from './schema.ts';
import { STORY } from './story.ts';
import type { Header, Parameter, Schema } from './types.ts';

/** A query parameter as its rule reads it. */
function query(
  name: string,
  rule: ParameterRule | NumberRule,
  description: string,
  more: Pick<Parameter, 'example' | 'deprecated' | 'required'> = {},
): Parameter {
  return {
    name,
    in: 'query',
    description,
    ...('required' in rule && rule.required && { required: true }),
    schema: schemaOf(rule),
    ...more,
  };
}

function schemaOf(rule: ParameterRule | NumberRule): Schema {
  if ('min' in rule) return { type: 'integer', minimum: rule.min, maximum: rule.max, default: rule.fallback };
  if (rule.words) return { type: 'string', enum: rule.words };
  return rule.pattern ? textOf(rule.pattern) : ref('schemas', 'Id');
}

const path = (name: string, schema: string, description: string, example: string): Parameter => ({
  name,
  in: 'path',
  required: true,
  description,
  schema: ref('schemas', schema),
  example,
});

const header = (name: string, description: string, schema: Schema, example?: string): Parameter => ({
  name,
  in: 'header',
  description,
  schema,
  ...(example !== undefined && { example }),
});

const text: Schema = { type: 'string' };

/** Every parameter of the contract, by its name in the document. */
export const PARAMETERS = {
  user_id: query(
    'user_id',
    CHECKOUT_QUERY.user_id,
    'Who buys. Whatever your gateway says: users are not known here.',
    {
      example: STORY.user,
    },
  ),
  id: query('id', CHECKOUT_QUERY.id, 'The item.', { example: STORY.item }),
  item_id: query(
    'item_id',
    CHECKOUT_QUERY.item_id,
    'What older clients call `id`; taken when `id` is absent.',
    {
      deprecated: true,
      required: false,
    },
  ),
  sale_id: query(
    'sale_id',
    CHECKOUT_QUERY.sale_id,
    'The sale. The active hourly one is meant when left out.',
    {
      example: STORY.saleId,
    },
  ),
  code: query('code', CODE, 'The code that the checkout answered.', { example: STORY.code }),
  status: query('status', SALES_QUERY.status, 'Only sales in this state.', { example: 'active' }),
  limit: query('limit', ITEMS_QUERY.limit, 'Items of a page.', { example: 2 }),
  after: query('after', ITEMS_QUERY.after, 'The last item of the page before.'),
  available: query('available', ITEMS_QUERY.available, '`true`: only items that are not sold.', {
    example: 'true',
  }),
  path_code: path('code', 'CheckoutCode', 'The code that was purchased.', STORY.code),
  path_sale: path('id', 'SaleId', 'The sale.', STORY.saleId),
  path_item: path('id', 'Id', 'The item.', STORY.item),
  idempotency_key: header(
    'Idempotency-Key',
    'Present, with any value: a code that was answered before gets its original answer again, instead of `already_processed`. What is done once is known by the code, not by this value.',
    text,
    'order-1',
  ),
  if_none_match: header(
    'If-None-Match',
    'The ETag of the answer you have: 304 while it is still right.',
    text,
  ),
  request_id: header(
    'X-Request-Id',
    'Your name for this request, in its answer and in the log. One that is not of this form is replaced.',
    textOf(REQUEST_ID),
    STORY.requestId,
  ),
  traceparent: header(
    'traceparent',
    'W3C trace context, for the log. Ignored when it is not of this form.',
    textOf(TRACEPARENT),
    STORY.traceparent,
  ),
} as const satisfies Record<string, Parameter>;

export type ParameterName = keyof typeof PARAMETERS;

/** Every header of an answer that a client may read. */
export const HEADERS = {
  'X-Request-Id': {
    required: true,
    description: 'On every answer: yours, or a fresh one.',
    schema: textOf(REQUEST_ID),
  },
  'Retry-After': {
    required: true,
    description: 'Seconds to wait before the same request is sent again.',
    schema: { type: 'integer', minimum: 1 },
  },
  'X-Shard-Owner': {
    description: 'The slot that owns the item; only with `WORKER_PORT_BASE`.',
    schema: { type: 'integer', minimum: 0 },
  },
  'Idempotent-Replayed': {
    description: '`true`: the original answer again. Only on requests with an `Idempotency-Key`.',
    schema: { type: 'string', const: 'true' },
  },
  ETag: { required: true, description: 'The version of the body.', schema: text },
  'Cache-Control': { required: true, description: 'How long it may be kept.', schema: text },
  Link: { description: 'The next page: `<…>; rel="next"`. Absent on the last one.', schema: text },
  Location: { required: true, description: 'The path of what was created.', schema: text },
  'WWW-Authenticate': { required: true, description: 'The scheme to use: `Bearer`.', schema: text },
  Allow: { description: 'With 405: the methods of this path.', schema: text },
} as const satisfies Record<string, Header>;

export type HeaderName = keyof typeof HEADERS;
