import { headerRefs } from '../contract/headers.ts';
import { answers, type Documented, notModified, operation } from '../contract/operation.ts';
import { IF_NONE_MATCH, query } from '../contract/parameters.ts';
import { count, listOf, named, objectOf, withOptional } from '../contract/schema.ts';
import { flag, ID_SCHEMA, text } from '../contract/schemas.ts';
import { STORY } from '../contract/story.ts';
import { type Answer, JSON_TYPE } from '../http/answer.ts';
import type { Asked } from '../http/asked.ts';
import { unlessKnown } from '../http/etag.ts';
import {
  type FieldErrors,
  oneOf,
  type Query,
  readNumber,
  readParameter,
  refuseOthers,
} from '../http/input.ts';
import { linkToNext } from '../http/paging.ts';
import { problem } from '../http/problem.ts';
import { createShelf, type ShelfPage } from '../selling/shelf.ts';
import { createUnsold } from '../selling/unsold.ts';
import { findPosition, type ItemPage, type ItemView, listItems } from '../store/items.ts';
import { findSale } from '../store/sale-list.ts';
import type { RouteDeps } from './deps.ts';
import { FRESH, SALE_PATH } from './sales.ts';

const PARAMETERS = {
  limit: { fallback: 100, min: 1, max: 1_000 },
  after: { required: false },
  available: oneOf('true', 'false'),
} as const;

/** GET /sales/active/items and /sales/{id}/items: a page of the items of a sale, in their order. */
export function itemsEndpoints({
  config,
  postgres,
  liveSales,
  shard,
}: Pick<RouteDeps, 'config' | 'postgres' | 'liveSales' | 'shard'>): Documented[] {
  // A worker without a shard does not hear of what comes back, and looks again each second.
  const unlearned = (saleId: string) =>
    config.shard === 'on' ? shard.unlearned(saleId) : Math.floor(Date.now() / 1_000);
  const findUnsold = createUnsold(postgres, () => liveSales.all().map(({ facts }) => facts), unlearned);
  const shelf = createShelf((page) => {
    const live = page.availableOnly ? liveSales.find(page.saleId)?.facts : undefined;
    return live ? findUnsold(live, page.after, page.limit) : listItems(postgres, page);
  });
  const isSale = async (id: string) =>
    liveSales.find(id) !== undefined || (await findSale(postgres, id)) !== undefined;

  const answerItems = async (asked: Asked, saleId: string | undefined): Promise<Answer> => {
    const read = readPage(asked.query);
    if ('errors' in read) return problem(asked, 'validation_failed', { errors: read.errors });
    if (saleId === undefined || !(await isSale(saleId))) return problem(asked, 'sale_not_found');
    const { after } = read;
    const page = await shelf({ ...read, saleId });
    // Nothing comes behind an item that is not there: a shop would show an empty page, and say "sold out".
    if (page.isEmpty && after !== undefined && (await findPosition(postgres, saleId, after)) === undefined) {
      const errors = { after: `after must be an item of this sale: ${after} is none` };
      return problem(asked, 'validation_failed', { errors });
    }
    return answerPage(asked, saleId, read, page);
  };
  return [
    {
      method: 'GET',
      path: '/sales/active/items',
      operation: LIST_ACTIVE_ITEMS,
      answer: (asked) => answerItems(asked, liveSales.find(undefined)?.facts.id),
    },
    {
      method: 'GET',
      path: '/sales/:id/items',
      operation: LIST_ITEMS,
      answer: (asked) => answerItems(asked, asked.params.id),
    },
  ];
}

type Page = Omit<ItemPage, 'saleId'>;

function readPage(query: Query): Page | { errors: FieldErrors } {
  const errors: FieldErrors = {};
  refuseOthers(query, Object.keys(PARAMETERS), errors);
  const limit = readNumber(query, 'limit', PARAMETERS.limit, errors);
  const after = readParameter(query, 'after', PARAMETERS.after, errors);
  const availableOnly = readParameter(query, 'available', PARAMETERS.available, errors) === 'true';
  if (Object.keys(errors).length > 0) return { errors };
  return { limit, availableOnly, ...(after && { after }) };
}

function answerPage(asked: Asked, saleId: string, { limit, availableOnly }: Page, page: ShelfPage): Answer {
  const { body, tag, next } = page;
  const filter = availableOnly ? { available: 'true' } : {};
  const link = linkToNext(`/sales/${saleId}/items`, limit, next, filter);
  return unlessKnown(asked.headers.ifNoneMatch, tag, JSON_TYPE, () => body, { ...FRESH, ...link });
}

const ITEM_SCHEMA = named(
  'Item',
  withOptional(
    objectOf<Pick<ItemView, 'id' | 'name' | 'image_url' | 'sold'>>({
      id: ID_SCHEMA,
      name: text('The name of the item.'),
      image_url: text('Its picture: a path of this service, or the URL that the sale was created with.'),
      sold: flag('Whether committed purchases have sold all of it.'),
    }),
    {
      price: count('In minor units of the sale’s currency; of an item that was given one.'),
      data: { type: 'object', description: 'What the shop keeps with it; of an item that was given any.' },
      stock: count('Its units, when it has more than one.', 2),
      left: count('Units that no committed purchase holds, when it has more than one.'),
    },
  ),
);

const PAGE = {
  tag: 'Sales',
  description:
    'A page of the items, in their order, at most a second old. The header `Link` leads to the next page. With `If-None-Match`, an unchanged page is answered 304.',
  parameters: [
    query('limit', PARAMETERS.limit, 'Items per page.', { example: 2 }),
    query('after', PARAMETERS.after, 'The last item of the previous page, which must be one of this sale.'),
    query('available', PARAMETERS.available, '`true`: only items that are not sold.', { example: 'true' }),
    IF_NONE_MATCH,
  ],
  answers: {
    200: answers('A page.', listOf(ITEM_SCHEMA), STORY.page, ['ETag', 'Cache-Control', 'Link']),
    304: { ...notModified, headers: headerRefs(['ETag', 'Cache-Control', 'Link']) },
  },
  problems: ['validation_failed', 'sale_not_found', 'overloaded', 'unavailable'],
} as const;

const LIST_ACTIVE_ITEMS = operation({
  ...PAGE,
  id: 'listActiveItems',
  summary: 'The items of the active sale',
});

const LIST_ITEMS = operation({
  ...PAGE,
  id: 'listItems',
  summary: 'The items of a sale',
  parameters: [SALE_PATH, ...PAGE.parameters],
});
