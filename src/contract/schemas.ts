/** The schemas that several operations, or the problems, share. Those of one operation stand beside its handler. */
import type { ReceiptView, viewOfOwnPurchase } from '../feed/purchase-view.ts';
import { ID, USER_ID } from '../http/input.ts';
import { RFC_3339 } from '../http/time.ts';
import { SALE_ID } from '../sale.ts';
import { CHECKOUT_CODE } from '../store/checkouts.ts';
import type { Receipt } from '../store/decision.ts';
import { PURCHASE_STATES } from '../store/purchase-state.ts';
import { count, listOf, named, objectOf, textOf, withOptional } from './schema.ts';
import { STORY } from './story.ts';
import type { Schema } from './types.ts';

export const time = (description: string): Schema => textOf(RFC_3339, description, { format: 'date-time' });
export const flag = (description: string): Schema => ({ type: 'boolean', description });
export const text = (description: string): Schema => ({ type: 'string', description });

export const ID_SCHEMA = named('Id', textOf(ID, 'An id of an item.', { examples: [STORY.item] }));
export const USER_ID_SCHEMA = named(
  'UserId',
  textOf(USER_ID, 'A user, as an identity provider or gateway names them.', { examples: [STORY.user] }),
);
export const SALE_ID_SCHEMA = named(
  'SaleId',
  textOf(SALE_ID, 'The id of a sale.', { examples: [STORY.saleId] }),
);
export const CODE_SCHEMA = named(
  'CheckoutCode',
  textOf(
    CHECKOUT_CODE,
    'The code of one cart: the id of its sale and 128 random bits. Only its user should know it.',
    {
      examples: [STORY.code],
    },
  ),
);

const RECEIPT_LINE = withOptional(
  objectOf<Omit<Receipt['purchased_items'][number], 'quantity' | 'price'>>({
    id: ID_SCHEMA,
    name: text('The name of the item.'),
    sold: flag('Whether this purchase bought it.'),
  }),
  {
    quantity: count('Units bought, when more than one was asked for: all of them or none.'),
    price: count('Of one unit, in minor units of the sale’s currency; of an item that was given one.'),
  },
);
/** The fields of a receipt. */
export const RECEIPT_FIELDS: Readonly<Record<keyof Receipt, Schema>> = {
  success: flag('Whether at least one line was bought.'),
  purchased_items: listOf(named('ReceiptLine', RECEIPT_LINE), {
    description: 'Every line of the cart, in the order in which it was added.',
  }),
  total_purchased: count('Lines bought.'),
  failed_count: count('Lines that somebody else had bought.'),
};
/** What a receipt may have as well. */
export const RECEIPT_EXTRAS: Readonly<Record<Exclude<keyof ReceiptView, keyof Receipt>, Schema>> = {
  payment: named('Payment', {
    ...objectOf<NonNullable<ReceiptView['payment']>>({
      state: {
        type: 'string',
        enum: ['pending', 'confirmed', 'released'],
        description:
          '`pending`: the units are held until `due_at`. `released`: it failed or came too late, and the units are back on the shelf.',
      },
      due_at: time('Until when the payment is awaited, UTC.'),
    }),
    description:
      'What has become of the payment; where the sale has a payment window and something was bought.',
  }),
};
export const RECEIPT_SCHEMA = named(
  'Receipt',
  withOptional(objectOf<Receipt>(RECEIPT_FIELDS), RECEIPT_EXTRAS),
);

export const PURCHASE_STATE_SCHEMA: Schema = {
  type: 'string',
  enum: PURCHASE_STATES,
  description:
    '`final`: bought for good. In a sale with a payment window: `pending`, then `confirmed` or `released`. `cancelled`: taken back, all of it or some.',
};
/** The lines of a receipt as they are read later on. */
export const PURCHASED_LINES_SCHEMA = listOf(
  named(
    'PurchasedLine',
    withOptional(RECEIPT_LINE, {
      cancelled: count('Units of it that were cancelled, if any were.', 1),
    }),
  ),
  { description: 'Every line of the cart, in the order in which it was added.' },
);
/** A receipt as it is read later on. */
export const OWN_PURCHASE_SCHEMA = named(
  'OwnPurchase',
  withOptional(
    objectOf<Omit<ReturnType<typeof viewOfOwnPurchase>, keyof typeof RECEIPT_EXTRAS>>({
      ...RECEIPT_FIELDS,
      purchased_items: PURCHASED_LINES_SCHEMA,
      sale_id: SALE_ID_SCHEMA,
      purchased_at: time('When it was decided, UTC.'),
      state: PURCHASE_STATE_SCHEMA,
    }),
    RECEIPT_EXTRAS,
  ),
);
