import { answers, type Documented, operation } from '../contract/operation.ts';
import { path } from '../contract/parameters.ts';
import { CODE_SCHEMA } from '../contract/schemas.ts';
import { STORY } from '../contract/story.ts';
import type { FieldErrors } from '../http/input.ts';
import { createFaults } from '../intake/faults.ts';
import { isObject } from '../intake/fields.ts';
import { isBought } from '../store/decision.ts';
import { confirmPayment } from '../store/payments.ts';
import { type CommittedDecision, findDecision } from '../store/receipts.ts';
import { within } from '../store/within.ts';
import { PURCHASE_SCHEMA } from './admin-purchases.ts';
import type { RouteDeps } from './deps.ts';
import { answerOnPurchase, type Refusal } from './on-purchase.ts';
import { IDEMPOTENCY_KEY } from './once.ts';

/** POST /admin/purchases/{code}/confirm: the payment of a purchase came. */
export const confirmEndpoint = ({
  config,
  postgres,
}: Pick<RouteDeps, 'config' | 'postgres'>): Documented => ({
  method: 'POST',
  path: '/admin/purchases/:code/confirm',
  operation: CONFIRM,
  answer: (asked) =>
    answerOnPurchase(postgres, asked, {
      read: readNothing,
      async act(client, { decision: { code } }) {
        await confirmPayment(client, code, config.events === 'on');
        const after = (await findDecision(within(client), code)) as CommittedDecision;
        return after.payment?.state === 'confirmed' ? undefined : refusalOf(after);
      },
    }),
});

/** A request that has nothing to say beside its path. */
function readNothing(body: unknown): { wish: undefined } | { errors: FieldErrors } {
  const faults = createFaults();
  if (!isObject(body)) faults.add('body', 'the body must be left out, or be an empty JSON object');
  else
    for (const field of Object.keys(body).map((name) => name.slice(0, 64)))
      faults.add(field, `${field} is not known: this request has no fields`);
  return faults.count > 0 ? { errors: faults.errors() } : { wish: undefined };
}

/** Why a payment cannot become what was asked for. */
function refusalOf({ decision, payment }: CommittedDecision): Refusal {
  if (!decision.lines.some(isBought)) return { code: 'nothing_bought' };
  return { code: payment === undefined ? 'no_payment_window' : 'payment_released' };
}

const CODE_PATH = path('code', CODE_SCHEMA, 'The code that was purchased.', STORY.code);

const CONFIRM = operation({
  id: 'confirmPayment',
  tag: 'Admin',
  summary: 'The payment came',
  description:
    'Confirms the payment of a purchase in a sale with a payment window: it is the buyer’s for good. What comes first counts, and Postgres’ clock decides: a confirmation that comes after `due_at` counts as long as the units are the buyer’s still; afterwards it is `payment_released`, and you owe the buyer the money. Confirming again changes nothing, and is answered 200.',
  isAdmin: true,
  parameters: [CODE_PATH, IDEMPOTENCY_KEY],
  body: {
    required: false,
    content: { 'application/json': { schema: { type: 'object', additionalProperties: false } } },
  },
  answers: {
    200: answers('The purchase as it is now.', PURCHASE_SCHEMA, STORY.confirmed, ['Idempotent-Replayed']),
  },
  problems: [
    'validation_failed',
    'malformed_request',
    'unauthorized',
    'checkout_not_found',
    'nothing_bought',
    'no_payment_window',
    'payment_released',
    'body_too_large',
    'unsupported_media_type',
    'idempotency_mismatch',
    'overloaded',
    'unavailable',
  ],
});
