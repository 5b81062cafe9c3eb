import { answers, type Documented, operation } from '../contract/operation.ts';
import { count, listOf, named } from '../contract/schema.ts';
import { flag, ID_SCHEMA, text } from '../contract/schemas.ts';
import { STORY } from '../contract/story.ts';
import type { FieldErrors } from '../http/input.ts';
import { createFaults, type Faults } from '../intake/faults.ts';
import {
  isObject,
  kindOf,
  NAME_MAX,
  readItemId,
  readName,
  refuseUnknown,
  wholeNumber,
} from '../intake/fields.ts';
import { USER_LIMIT_MAX } from '../intake/new-sale.ts';
import { type Cancellation, cancelLines, linesToCancel } from '../store/cancel.ts';
import { isBought } from '../store/decision.ts';
import type { Transaction } from '../store/postgres.ts';
import { heldUnits } from '../store/purchase-state.ts';
import type { CommittedDecision } from '../store/receipts.ts';
import { CODE_PATH, PURCHASE_SCHEMA } from './admin-purchases.ts';
import { answerOnPurchase, DEED_PROBLEMS, type Done, type PurchaseDeedDeps } from './on-purchase.ts';
import { IDEMPOTENCY_KEY } from './once.ts';

const FIELDS = ['items', 'restock', 'reason'] as const;
const ITEM_FIELDS = ['id', 'quantity'] as const;
/** Nobody holds more. */
const readQuantity = wholeNumber(1, USER_LIMIT_MAX);

/** POST /admin/purchases/{code}/cancel takes a purchase, or lines or units of it, back. */
export const cancelEndpoint = (deps: PurchaseDeedDeps): Documented => ({
  method: 'POST',
  path: '/admin/purchases/:code/cancel',
  operation: CANCEL,
  answer: (asked) =>
    answerOnPurchase(deps, asked, {
      read: readCancellation,
      act: (client, purchase, wish) => cancel(client, purchase, wish, deps.config.events === 'on'),
    }),
});

async function cancel(
  client: Transaction,
  purchase: CommittedDecision,
  wish: Cancellation,
  tells: boolean,
): Promise<Done> {
  if (!purchase.decision.lines.some(isBought)) return { refused: { code: 'nothing_bought' } };
  if (purchase.payment?.state === 'pending') return { refused: { code: 'payment_pending' } };
  if (purchase.payment?.state === 'released') return { refused: { code: 'payment_released' } };
  const lines = linesToCancel(purchase, wish);
  if (lines === undefined) {
    const left = [...heldUnits(purchase)].map(([id, units]) => ({ id, quantity: units.length }));
    return { refused: { code: 'exceeds_purchase', more: { left } } };
  }
  if (lines.length === 0) return {};
  const given = await cancelLines(client, purchase, lines, wish, tells);
  return given ? { given } : { refused: { code: 'unavailable' } };
}

/** Checks the form of the body. All errors at once. */
function readCancellation(body: unknown): { wish: Cancellation } | { errors: FieldErrors } {
  if (!isObject(body)) return { errors: { body: 'the body must be a JSON object, or be left out' } };
  const faults = createFaults();
  refuseUnknown(body, FIELDS, 'a field of a cancellation, which has', faults);
  const { restock = true } = body;
  if (typeof restock !== 'boolean') faults.add('restock', 'restock must be true or false');
  const reason = readName(body.reason, 'reason', faults);
  const items = body.items === undefined ? undefined : readItems(body.items, faults);
  if (faults.count > 0) return { errors: faults.errors() };
  const wish = {
    restock: restock as boolean,
    ...(reason !== undefined && { reason }),
    ...(items && { items }),
  };
  return { wish };
}

function readItems(value: unknown, faults: Faults): NonNullable<Cancellation['items']> {
  if (!Array.isArray(value) || value.length === 0) {
    faults.add('items', 'items must be a list of at least one item, or be left out: then all is cancelled');
    return [];
  }
  const seen = new Set<string>();
  return value.flatMap((fields: unknown, i) => {
    const at = `items[${i}]`;
    if (!isObject(fields)) {
      faults.add(at, `${at} must be an object, not ${kindOf(fields)}`);
      return [];
    }
    refuseUnknown(fields, ITEM_FIELDS, 'a field of an item, which has', faults, `${at}.`);
    const id = readItemId(fields.id ?? null, `${at}.id`, faults);
    const quantity = readQuantity(fields.quantity, `${at}.quantity`, faults);
    if (id === undefined) return [];
    if (seen.has(id)) faults.add(`${at}.id`, `id must occur once: ${id} is given before`);
    seen.add(id);
    return [{ id, ...(quantity !== undefined && { quantity }) }];
  });
}

const CANCELLATION_SCHEMA = named('Cancellation', {
  type: 'object',
  properties: {
    items: listOf(
      {
        type: 'object',
        properties: {
          id: ID_SCHEMA,
          quantity: count('Its units. Default: all that the buyer still has of it.', 1, {
            maximum: USER_LIMIT_MAX,
          }),
        },
        required: ['id'],
        additionalProperties: false,
      },
      {
        minItems: 1,
        description: 'What is taken back, each item once. Default: all that the buyer still has.',
      },
    ),
    restock: {
      ...flag('Whether the units can be bought again, while the sale runs. `false`: nobody can have them.'),
      default: true,
    },
    reason: { ...text('Why; kept with the purchase.'), maxLength: NAME_MAX },
  },
  additionalProperties: false,
});

const CANCEL = operation({
  id: 'cancelPurchase',
  tag: 'Admin',
  summary: 'Take a purchase back',
  description:
    'Takes a purchase that is final or confirmed back, or some of its lines or units, also after its sale has ended. The buyer’s limit has room again, and unless `restock` is `false`, the units can be bought again through every worker within a second. Without `items`, all that is left is cancelled: sent again, it changes nothing. An `Idempotency-Key` makes the cancellation of a part safe to repeat. A purchase whose payment is pending is released instead.',
  isAdmin: true,
  parameters: [CODE_PATH, IDEMPOTENCY_KEY],
  body: {
    required: false,
    content: {
      'application/json': {
        schema: CANCELLATION_SCHEMA,
        examples: {
          item: { summary: 'One item', value: STORY.cancellation },
          all: { summary: 'All of it', value: {} },
        },
      },
    },
  },
  answers: {
    200: answers('The purchase as it is now.', PURCHASE_SCHEMA, STORY.cancelled, ['Idempotent-Replayed']),
  },
  problems: [...DEED_PROBLEMS, 'payment_pending', 'payment_released', 'exceeds_purchase'],
});
