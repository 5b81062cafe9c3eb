import { answers, type Documented, operation } from '../contract/operation.ts';
import { path } from '../contract/parameters.ts';
import { count, listOf, named, objectOf, withOptional } from '../contract/schema.ts';
import { CODE_SCHEMA, flag, ID_SCHEMA, SALE_ID_SCHEMA, text } from '../contract/schemas.ts';
import { STORY } from '../contract/story.ts';
import { json } from '../http/answer.ts';
import { problem } from '../http/problem.ts';
import { type CartLine, readCart } from '../store/carts.ts';
import { saleOfCode } from '../store/checkouts.ts';
import type { RouteDeps } from './deps.ts';
import { isAnothers, NO_STORE } from './purchase.ts';

/** A line as the contract shows it: the quantity where it is not 1. */
const viewOf = ({ id, name, quantity, available }: CartLine) => ({
  ...{ id, name },
  ...(quantity > 1 && { quantity }),
  available,
});

/** GET /carts/{code}: what is in a cart that was not bought yet. */
export const cartEndpoint = ({ redis }: Pick<RouteDeps, 'redis'>): Documented => ({
  method: 'GET',
  path: '/carts/:code',
  operation: READ_CART,
  needsBuyer: true,
  async answer(asked) {
    const code = asked.params.code as string;
    const saleId = saleOfCode(code);
    const cart = saleId && (await readCart(redis, code));
    if (!cart) return problem(asked, 'checkout_not_found');
    if (isAnothers(asked, cart.userId)) return problem(asked, 'buyer_mismatch');
    const items = cart.lines.map(viewOf);
    return json(200, { code, sale_id: saleId, items, items_count: items.length }, NO_STORE);
  },
});

const READ_CART = operation({
  id: 'readCart',
  tag: 'Buying',
  needsBuyer: true,
  summary: 'Read the cart',
  description:
    'The lines of a cart that was not purchased yet, in the order in which they were added. A cart reserves nothing: `available` says what is left now.',
  parameters: [path('code', CODE_SCHEMA, 'The code from the checkout.', STORY.code)],
  answers: {
    200: answers(
      'The cart.',
      named(
        'CartView',
        objectOf<{ code: string; sale_id: string; items: unknown; items_count: number }>({
          code: CODE_SCHEMA,
          sale_id: SALE_ID_SCHEMA,
          items: listOf(
            named(
              'CartLine',
              withOptional(
                objectOf<Omit<CartLine, 'quantity'>>({
                  id: ID_SCHEMA,
                  name: text('The name of the item.'),
                  available: flag('Whether so many units are left.'),
                }),
                { quantity: count('Units asked for, when more than one.', 2) },
              ),
            ),
          ),
          items_count: count('Lines in the cart.'),
        }),
      ),
      STORY.cartView,
      ['Cache-Control'],
    ),
  },
  problems: ['checkout_not_found', 'overloaded', 'unavailable'],
});
