import { answers, type Documented, operation } from '../contract/operation.ts';
import { STORY } from '../contract/story.ts';
import type { FieldErrors } from '../http/input.ts';
import type { ProblemCode } from '../http/problem.ts';
import { createFaults } from '../intake/faults.ts';
import { isObject } from '../intake/fields.ts';
import { isBought } from '../store/decision.ts';
import { confirmPayment, releasePayment } from '../store/payments.ts';
import type { Transaction } from '../store/postgres.ts';
import { type CommittedDecision, findDecision } from '../store/receipts.ts';
import { within } from '../store/within.ts';
import { CODE_PATH, PURCHASE_SCHEMA } from './admin-purchases.ts';
import { answerOnPurchase, DEED_PROBLEMS, type Done, type PurchaseDeedDeps } from './on-purchase.ts';
import { IDEMPOTENCY_KEY } from './once.ts';

/** POST /admin/purchases/{code}/confirm and …/release: the payment of a purchase came, or it failed. */
export function paymentEndpoints(deps: PurchaseDeedDeps): Documented[] {
  const tells = deps.config.events === 'on';
  return [
    {
      method: 'POST',
      path: '/admin/purchases/:code/confirm',
      operation: CONFIRM,
      answer: (asked) =>
        answerOnPurchase(deps, asked, {
          read: readNothing,
          async act(client, { decision: { code } }) {
            if (await confirmPayment(client, code, tells)) asked.settled = 'confirmed';
            return judge(client, code, 'confirmed', 'payment_released');
          },
        }),
    },
    {
      method: 'POST',
      path: '/admin/purchases/:code/release',
      operation: RELEASE,
      answer: (asked) =>
        answerOnPurchase(deps, asked, {
          read: readNothing,
          async act(client, { decision: { code, saleId } }) {
            const given = await releasePayment(client, saleId, code, tells);
            if (given === undefined) return { refused: { code: 'unavailable' } };
            if (given === 'settled') return judge(client, code, 'released', 'payment_confirmed');
            asked.settled = 'released';
            return { given };
          },
        }),
    },
  ];
}

/** A request that has nothing to say beside its path. */
function readNothing(body: unknown): { wish: undefined } | { errors: FieldErrors } {
  const faults = createFaults();
  if (!isObject(body)) faults.add('body', 'the body must be left out, or be an empty JSON object');
  else
    for (const field of Object.keys(body).map((name) => name.slice(0, 64)))
      faults.add(field, `${field} is not known: this request has no fields`);
  return faults.count > 0 ? { errors: faults.errors() } : { wish: undefined };
}

/** Whether the payment is what was asked for, by this request or an earlier one; `otherwise`: it was settled the other way. */
async function judge(
  client: Transaction,
  code: string,
  wanted: 'confirmed' | 'released',
  otherwise: ProblemCode,
): Promise<Done> {
  const { decision, payment } = (await findDecision(within(client), code)) as CommittedDecision;
  if (payment?.state === wanted) return {};
  if (payment !== undefined) return { refused: { code: otherwise } };
  return { refused: { code: decision.lines.some(isBought) ? 'no_payment_window' : 'nothing_bought' } };
}

const NO_BODY = {
  required: false,
  content: { 'application/json': { schema: { type: 'object', additionalProperties: false } as const } },
};
const COMMON = {
  tag: 'Admin',
  isAdmin: true,
  parameters: [CODE_PATH, IDEMPOTENCY_KEY],
  body: NO_BODY,
} as const;

const CONFIRM = operation({
  ...COMMON,
  id: 'confirmPayment',
  summary: 'The payment came',
  description:
    'Confirms the payment of a purchase in a sale with a payment window: the units are the buyer’s for good. What comes first counts, by Postgres’ clock: a confirmation that comes after `due_at` counts as long as the units are the buyer’s still, which they are for up to a second; afterwards it is `payment_released`, and you owe the buyer the money. Confirming again changes nothing, and is answered 200.',
  answers: {
    200: answers('The purchase as it is now.', PURCHASE_SCHEMA, STORY.confirmed, ['Idempotent-Replayed']),
  },
  problems: [...DEED_PROBLEMS, 'no_payment_window', 'payment_released'],
});

const RELEASE = operation({
  ...COMMON,
  id: 'releasePayment',
  summary: 'The payment failed',
  description:
    'Releases a purchase whose payment is pending: its units are back on the shelf, and its buyer’s limit has room again. What nobody confirms is released by itself after `due_at`. Releasing again changes nothing, and is answered 200.',
  answers: {
    200: answers('The purchase as it is now.', PURCHASE_SCHEMA, STORY.released, ['Idempotent-Replayed']),
  },
  problems: [...DEED_PROBLEMS, 'no_payment_window', 'payment_confirmed'],
});
