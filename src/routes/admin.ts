import { answers, type Documented, operation } from '../contract/operation.ts';
import { count, listOf, named, objectOf, textOf } from '../contract/schema.ts';
import { ID_SCHEMA, SALE_ID_SCHEMA, text, time } from '../contract/schemas.ts';
import { STORY } from '../contract/story.ts';
import type { Schema } from '../contract/types.ts';
import { type Answer, JSON_TYPE, json } from '../http/answer.ts';
import type { Asked } from '../http/asked.ts';
import { problem } from '../http/problem.ts';
import { logFields } from '../http/request-log.ts';
import { formatTime } from '../http/time.ts';
import { createSale, ItemTaken } from '../store/sales.ts';
import type { RouteDeps } from './deps.ts';
import { readNewSale, type SALE_FIELDS, TEXT, TEXT_MAX, TOTAL_MAX, USER_LIMIT_MAX } from './new-sale.ts';

/** A million new items take Redis some ten seconds. */
const REFRESH_MS = 60_000;

type AdminDeps = Pick<RouteDeps, 'config' | 'log' | 'postgres' | 'askPrimary'>;

/** POST /admin/sales: creates a sale with its own items, limit and times. Every worker sells from it when this is answered. */
export const createSaleEndpoint = ({ config, log, postgres, askPrimary }: AdminDeps): Documented => ({
  method: 'POST',
  path: '/admin/sales',
  operation: CREATE_SALE,
  async answer(asked) {
    const body = await readJson(asked);
    if ('refused' in body) return body.refused;
    const read = readNewSale(body.value, config.userLimit, Date.now());
    if ('errors' in read) return problem(asked, 'validation_failed', { errors: read.errors });
    const { sale } = read;
    const id = await createSale(postgres, sale).catch((error: unknown) => {
      if (error instanceof ItemTaken) return error;
      throw error;
    });
    if (id instanceof ItemTaken) {
      const errors = { items: `items: the id ${id.message} exists already` };
      return problem(asked, 'validation_failed', { errors });
    }
    await askPrimary('refresh-sales', REFRESH_MS);
    log.info({ ...logFields(asked), sale: id, items: sale.total }, 'sale created');
    const data = {
      id,
      started_at: formatTime(sale.startsAtMs),
      ended_at: formatTime(sale.endsAtMs),
      total_items: sale.total,
    };
    return json(201, { data, message: 'Sale created successfully' }, { Location: `/sales/${id}` });
  },
});

/** The body of a request as JSON, or the answer to one that has none. */
async function readJson(asked: Asked): Promise<{ value: unknown } | { refused: Answer }> {
  if (!/^application\/(json|[\w.+-]+\+json)\s*(;|$)/i.test(asked.headers.contentType ?? ''))
    return { refused: problem(asked, 'unsupported_media_type') };
  try {
    return { value: JSON.parse((await asked.readBody?.()) ?? '') };
  } catch {
    // No JSON; or its client has left, or was too slow, and nobody hears this.
    return { refused: problem(asked, 'malformed_request') };
  }
}

const printable = (description: string) => textOf(TEXT, description, { maxLength: TEXT_MAX });

/** The fields of a sale's body must be the ones that `readNewSale` knows. */
const NEW_SALE_FIELDS: Record<(typeof SALE_FIELDS)[number], Schema> = {
  total_items: count('Items of the sale. Needed without `items`; with it, their number.', 1, {
    maximum: TOTAL_MAX,
  }),
  started_at: time('When it opens; the beginning of this hour when left out.'),
  ended_at: time(
    'When it closes: later than the start, in the future, within 7 days. One hour after the start when left out.',
  ),
  user_limit: count('Items one user may hold in this sale; `USER_LIMIT` of the service when left out.', 1, {
    maximum: USER_LIMIT_MAX,
  }),
  items: listOf(
    named('NewItem', {
      type: 'object',
      properties: {
        id: { ...ID_SCHEMA, description: 'Unique among the items of all sales; generated when left out.' },
        name: printable('What it is called.'),
        image_url: printable('The URL of its picture; a generated one when left out.'),
      },
      required: ['name'],
    }),
    { minItems: 1, description: 'Your own items, in their order. Generated when left out.' },
  ),
};

const NEW_SALE_SCHEMA = named('NewSale', {
  type: 'object',
  properties: NEW_SALE_FIELDS,
  additionalProperties: false,
  anyOf: [{ required: ['total_items'] }, { required: ['items'] }],
});

const CREATED_SCHEMA = named(
  'CreatedSale',
  objectOf({
    data: objectOf({
      id: SALE_ID_SCHEMA,
      started_at: time('When it opens, UTC.'),
      ended_at: time('When it closes, UTC.'),
      total_items: count('Items of the sale.', 1),
    }),
    message: text('A sentence.'),
  }),
);

const CREATE_SALE = operation({
  id: 'createSale',
  tag: 'Admin',
  summary: 'Create a sale',
  description:
    'Creates a sale with its own items, limit and times; every worker sells from it by the time this is answered. Sales may overlap; name yours by `sale_id`.\n\nNeeds the admin token. Where none is configured, the path is open in development, and does not exist in production.',
  isAdmin: true,
  body: {
    required: true,
    content: {
      [JSON_TYPE]: {
        schema: NEW_SALE_SCHEMA,
        examples: {
          now: { summary: 'Your own items, now', value: STORY.newSale },
          later: { summary: 'Generated items, later', value: STORY.laterSale },
        },
      },
    },
  },
  answers: { 201: answers('The sale is there.', CREATED_SCHEMA, STORY.created, ['Location']) },
  problems: [
    'validation_failed',
    'malformed_request',
    'unauthorized',
    'not_found',
    'body_too_large',
    'unsupported_media_type',
    'overloaded',
    'unavailable',
  ],
});
