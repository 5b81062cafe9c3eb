import { SALES_MAX } from '../routes/sales.ts';
import { answers, answersText, notModified, operation } from './operation.ts';
import { headerRefs } from './problems.ts';
import { listOf, ref } from './schema.ts';
import { STORY } from './story.ts';
import type { PathItem } from './types.ts';

const sale = ref('schemas', 'Sale');

/** Sales, their items, and how a sale is made. */
export const SELLING: Readonly<Record<string, PathItem>> = {
  '/sales/active': {
    get: operation({
      id: 'readActiveSale',
      tag: 'Sales',
      summary: 'The active sale',
      description:
        'The sale that is meant without `sale_id`: of the hourly sales that are open now, the one that began last.',
      answers: { 200: answers('The sale.', sale, STORY.sale) },
      problems: ['sale_not_found', 'overloaded', 'unavailable'],
    }),
  },
  '/sales': {
    get: operation({
      id: 'listSales',
      tag: 'Sales',
      summary: 'All sales',
      description: `All sales, newest first; the newest ${SALES_MAX.toLocaleString('en')} of them.`,
      parameters: ['status'],
      answers: { 200: answers('The sales.', listOf(sale), [STORY.sale]) },
      problems: ['validation_failed', 'overloaded', 'unavailable'],
    }),
  },
  '/sales/{id}': {
    get: operation({
      id: 'readSale',
      tag: 'Sales',
      summary: 'One sale',
      description: 'A sale of any state.',
      parameters: ['path_sale'],
      answers: { 200: answers('The sale.', sale, STORY.sale) },
      problems: ['sale_not_found', 'overloaded', 'unavailable'],
    }),
  },
  '/sales/{id}/items': {
    get: operation({
      id: 'listItems',
      tag: 'Sales',
      summary: 'The items of a sale',
      description:
        'A page of the items, in their order. Follow the header `Link` to the next page. With `If-None-Match`, a page that has not changed is answered 304.',
      parameters: ['path_sale', 'limit', 'after', 'available', 'if_none_match'],
      answers: {
        200: answers('A page.', listOf(ref('schemas', 'Item')), STORY.page, [
          'ETag',
          'Cache-Control',
          'Link',
        ]),
        304: { ...notModified, headers: headerRefs(['ETag', 'Cache-Control', 'Link']) },
      },
      problems: ['validation_failed', 'sale_not_found', 'overloaded', 'unavailable'],
    }),
  },
  '/items/{id}/image.svg': {
    get: operation({
      id: 'readImage',
      tag: 'Sales',
      summary: 'The picture of an item',
      description:
        'Drawn from the id alone, whether any sale has the item or not. It never changes: keep it. Pages of any origin may embed it.',
      parameters: ['path_item', 'if_none_match'],
      answers: {
        200: answersText('The picture.', 'image/svg+xml', ['ETag', 'Cache-Control']),
        304: notModified,
      },
      problems: ['item_not_found'],
    }),
  },
  '/admin/sales': {
    post: operation({
      id: 'createSale',
      tag: 'Admin',
      summary: 'Create a sale',
      description:
        'Creates a sale with its own items, limit and times; every worker sells from it by the time this is answered. Sales may overlap; name yours by `sale_id`.\n\nNeeds the admin token. Where none is configured, the path is open in development, and does not exist in production.',
      isAdmin: true,
      body: {
        required: true,
        content: {
          'application/json': {
            schema: ref('schemas', 'NewSale'),
            examples: {
              now: { summary: 'Your own items, now', value: STORY.newSale },
              later: { summary: 'Generated items, later', value: STORY.laterSale },
            },
          },
        },
      },
      answers: {
        201: answers('The sale is there.', ref('schemas', 'CreatedSale'), STORY.created, ['Location']),
      },
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
    }),
  },
};
