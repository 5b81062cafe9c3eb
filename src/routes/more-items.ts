import { answers, type Documented, operation } from '../contract/operation.ts';
import { count, listOf, named, objectOf } from '../contract/schema.ts';
import { SALE_ID_SCHEMA } from '../contract/schemas.ts';
import { STORY } from '../contract/story.ts';
import { type Answer, JSON_TYPE } from '../http/answer.ts';
import type { Asked } from '../http/asked.ts';
import { createPlaces } from '../http/places.ts';
import { problem } from '../http/problem.ts';
import { logFields } from '../http/request-log.ts';
import { createFaults } from '../intake/faults.ts';
import { type MORE_ITEMS_FIELDS, readMoreItems } from '../intake/more-items.ts';
import { UNITS_MAX } from '../intake/new-sale.ts';
import { createPace } from '../intake/pace.ts';
import { addItems, type MoreItem, type MoreItemsRefused, untilSellable } from '../store/more-items.ts';
import { NEW_ITEM_FIELDS } from './admin.ts';
import { readJsonBody } from './body.ts';
import type { RouteDeps } from './deps.ts';
import { answerOnce, IDEMPOTENCY_KEY } from './once.ts';
import { SALE_PATH } from './sales.ts';

/** How long an answer waits until the items are for sale. Past it the answer is 503, and they come all the same. */
const LOADED_MS = 8_000;
/** Longer than the workers of this box take to hear of a change. */
const REFRESH_MS = 5_000;
/** Requests that a worker serves at a time; each holds a connection to Postgres. */
const ADDING_MAX = 2;

type MoreItemsDeps = Pick<RouteDeps, 'log' | 'postgres' | 'redis' | 'askPrimary'>;

/** POST /admin/sales/{id}/items: more items, or more units of items, for a sale that is not over. */
export const moreItemsEndpoint = (deps: MoreItemsDeps): Documented => {
  const places = createPlaces(ADDING_MAX);
  return {
    method: 'POST',
    path: '/admin/sales/:id/items',
    operation: ADD_ITEMS,
    async answer(asked) {
      const leave = places.take();
      if (leave === undefined) return problem(asked, 'overloaded');
      try {
        const body = await readJsonBody(asked);
        if ('refused' in body) return body.refused;
        const read = await readMoreItems(body.value, createPace());
        if ('errors' in read) return problem(asked, 'validation_failed', { errors: read.errors });
        return await add(deps, asked, read.items, body.bytes);
      } finally {
        leave();
      }
    },
  };
};

async function add(
  { log, postgres, redis, askPrimary }: MoreItemsDeps,
  asked: Asked,
  items: readonly MoreItem[],
  bytes: Uint8Array,
): Promise<Answer> {
  const id = asked.params.id as string;
  const answer = await answerOnce(postgres, 'items', asked, bytes, async (client) => {
    const added = await addItems(client, id, items, UNITS_MAX);
    if ('refused' in added) return { refused: refusalOf(asked, added.refused) };
    const { total, items: fresh, units } = added;
    log.info({ ...logFields(asked), sale: id, items: fresh, units, total }, 'items added');
    const body = { id, total_items: total, items_added: fresh, units_added: units };
    return { status: 200, body: JSON.stringify(body) };
  });
  if (answer.status !== 200) return answer;
  await untilSellable(redis, postgres, id, LOADED_MS);
  await askPrimary('refresh-sales', REFRESH_MS);
  return answer;
}

function refusalOf(asked: Asked, why: MoreItemsRefused): Answer {
  if (why.because === 'no sale') return problem(asked, 'sale_not_found');
  if (why.because === 'state')
    return problem(asked, 'sale_state_conflict', undefined, undefined, `The sale is ${why.state}.`);
  const faults = createFaults();
  for (const [path, sentence] of why.faults) faults.add(path, sentence);
  return problem(asked, 'validation_failed', { errors: faults.errors() });
}

/** The fields of the body must be the ones that `readMoreItems` knows. */
const FIELDS: Record<(typeof MORE_ITEMS_FIELDS)[number], ReturnType<typeof listOf>> = {
  items: listOf(
    named('MoreItem', { type: 'object', properties: NEW_ITEM_FIELDS, additionalProperties: false }),
    { minItems: 1, description: 'New items, and items of the sale with the stock that they shall have.' },
  ),
};

const ADDED_SCHEMA = named(
  'ItemsAdded',
  objectOf({
    id: SALE_ID_SCHEMA,
    total_items: count('Units of the sale, with those that came.', 1),
    items_added: count('Items that are new.', 0),
    units_added: count('Units that came, of new items and of others.', 1),
  }),
);

const ADD_ITEMS = operation({
  id: 'addItems',
  tag: 'Admin',
  isAdmin: true,
  summary: 'Add items, or more units of items',
  description:
    'Adds items to a sale that is not over, also while it runs. An item whose `id` the sale has already gets more units: `stock` is the number that it shall have in all, more than it has, so that the same request sent again is refused and adds nothing; its other fields stay. All of the request is done, or nothing.\n\nIt is answered when the units can be bought. Redis is loaded anew for that: the sale answers 503 meanwhile, for some tenths of a second with 10,000 items.\n\nRequires the admin token.',
  parameters: [SALE_PATH, IDEMPOTENCY_KEY],
  body: {
    required: true,
    content: {
      [JSON_TYPE]: {
        schema: named('MoreItems', {
          type: 'object',
          properties: FIELDS,
          additionalProperties: false,
          required: ['items'],
        }),
        examples: { more: { summary: 'A new item, and more of one', value: STORY.moreItems } },
      },
    },
  },
  answers: {
    200: answers('The units are for sale.', ADDED_SCHEMA, STORY.itemsAdded, ['Idempotent-Replayed']),
  },
  problems: [
    'validation_failed',
    'malformed_request',
    'unauthorized',
    'sale_not_found',
    'sale_state_conflict',
    'body_too_large',
    'unsupported_media_type',
    'idempotency_mismatch',
    'overloaded',
    'unavailable',
  ],
});
