import { answers, operation } from './operation.ts';
import { ref } from './schema.ts';
import { STORY } from './story.ts';
import type { PathItem } from './types.ts';

/** The two requests that matter, and the receipt. */
export const BUYING: Readonly<Record<string, PathItem>> = {
  '/checkout': {
    post: operation({
      id: 'checkout',
      tag: 'Buying',
      summary: 'Put an item into the cart',
      description:
        'Adds an item to the user’s cart and answers the code of the cart: the same one until the cart is purchased. Nothing is reserved: an item in a cart may be sold to somebody else. Safe to repeat: an item that is in the cart is answered `already_in_checkout`, with the code.',
      parameters: ['user_id', 'id', 'sale_id', 'item_id'],
      answers: {
        200: answers('The item is in the cart.', ref('schemas', 'Cart'), STORY.cart, ['X-Shard-Owner']),
      },
      problems: [
        'validation_failed',
        'sale_not_active',
        'already_in_checkout',
        'user_limit_reached',
        'sale_not_found',
        'item_not_found',
        'item_already_sold',
        'sale_sold_out',
        'overloaded',
        'unavailable',
      ],
      problemHeaders: ['X-Shard-Owner'],
    }),
  },
  '/purchase': {
    post: operation({
      id: 'purchase',
      tag: 'Buying',
      summary: 'Buy the cart',
      description:
        'Buys every line of the cart that is still for sale. One code has one outcome, however often and however concurrently it is posted. Answered 200 only after it is committed.\n\nNo answer, a reset, or `outcome_unknown`: post the same code again, with an `Idempotency-Key`, until you hear anything but 503.',
      parameters: ['code', 'idempotency_key'],
      answers: {
        200: answers(
          'At least one line was bought, and every bought line is committed.',
          ref('schemas', 'Receipt'),
          STORY.receipt,
          ['Idempotent-Replayed'],
        ),
      },
      problems: [
        'validation_failed',
        'sale_not_active',
        'user_limit_reached',
        'checkout_not_found',
        'all_items_sold',
        'already_processed',
        'outcome_unknown',
        'overloaded',
        'unavailable',
      ],
    }),
  },
  '/purchases/{code}': {
    get: operation({
      id: 'readReceipt',
      tag: 'Buying',
      summary: 'Read the receipt',
      description:
        'The outcome of a code, for ever. A code that was not purchased yet is answered as one that never was.',
      parameters: ['path_code'],
      answers: {
        200: answers('What was bought, and what was lost.', ref('schemas', 'Receipt'), STORY.receipt),
      },
      problems: ['checkout_not_found', 'overloaded', 'unavailable'],
    }),
  },
};
