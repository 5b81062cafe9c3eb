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

/** POST /admin/sales: creates a sale with its own items, limit and times. Every worker sells from it before the answer. */
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

/** The JSON body of a request, or the refusal of one without. */
export async function readJson(asked: Asked): Promise<{ value: unknown } | { refused: Answer }> {
  if (!/^application\/(json|[\w.+-]+\+json)\s*(;|$)/i.test(asked.headers.contentType ?? ''))
    return { refused: problem(asked, 'unsupported_media_type') };
  try {
    return { value: JSON.parse((await asked.readBody?.()) ?? '') };
  } catch {
    // Not JSON; or the client has disconnected or was too slow, and gets no answer.
    return { refused: problem(asked, 'malformed_request') };
  }
}

const printable = (description: string) => textOf(TEXT, description, { maxLength: TEXT_MAX });

/** The fields of a sale's body must be the ones that `readNewSale` knows. */
const NEW_SALE_FIELDS: Record<(typeof SALE_FIELDS)[number], Schema> = {
  total_items: count(
    'The number of items. Required without `items`; with `items`, it must be their number.',
    1,
    {
      maximum: TOTAL_MAX,
    },
  ),
  started_at: time('When the sale opens. Default: the beginning of this hour.'),
  ended_at: time(
    'When the sale closes: after the start, in the future, at most 7 days after the start. Default: one hour after `started_at`, or one hour from now when that is left out too.',
  ),
  user_limit: count('Items that one user may buy in this sale. Default: `USER_LIMIT` of the service.', 1, {
    maximum: USER_LIMIT_MAX,
  }),
  items: listOf(
    named('NewItem', {
      type: 'object',
      properties: {
        id: { ...ID_SCHEMA, description: 'Unique among the items of all sales. Default: generated.' },
        name: printable('The name of the item.'),
        image_url: printable('The URL of its picture. Default: a generated picture.'),
      },
      required: ['name'],
    }),
    { minItems: 1, description: 'Your own items, in their order. Default: generated.' },
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
      started_at: time('When the sale opens, UTC.'),
      ended_at: time('When the sale closes, UTC.'),
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
    'Creates a sale with its own items, limit and times. Every worker sells from it before the answer leaves. Sales may overlap; buyers name this one by `sale_id`.\n\nRequires the admin token. Without a configured token, the path is open in development, and does not exist in production.',
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
  answers: { 201: answers('The sale exists.', CREATED_SCHEMA, STORY.created, ['Location']) },
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
