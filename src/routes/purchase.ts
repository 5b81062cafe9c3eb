import { answers, type Documented, operation } from '../contract/operation.ts';
import { header, path, query } from '../contract/parameters.ts';
import { CODE_SCHEMA, OWN_PURCHASE_SCHEMA, RECEIPT_SCHEMA } from '../contract/schemas.ts';
import { STORY } from '../contract/story.ts';
import { type ReceiptView, viewOfOwnPurchase, viewOfReceipt } from '../feed/purchase-view.ts';
import { type Answer, json } from '../http/answer.ts';
import type { Asked } from '../http/asked.ts';
import { type FieldErrors, readParameter } from '../http/input.ts';
import { type ProblemCode, problem } from '../http/problem.ts';
import { saleOfCode } from '../store/checkouts.ts';
import { unitsIn } from '../store/decision.ts';
import { findDecision } from '../store/receipts.ts';
import { readStanding } from '../store/sales.ts';
import type { RouteDeps } from './deps.ts';

type PurchaseDeps = Pick<RouteDeps, 'liveSales' | 'postgres' | 'ownerOf'>;

/** Longer than any code. The exact form is not checked, so that every unknown code gets the same answer, one that cannot be decoded too. */
const CODE = { required: true, pattern: /^[!-~\uFFFD]{1,128}$/, form: 'a checkout code' } as const;

/** A receipt is private and may change: no cache may keep it. */
export const NO_STORE = { 'Cache-Control': 'no-store' };

const REFUSAL = {
  'not-begun': 'sale_not_active',
  ended: 'sale_not_active',
  limit: 'user_limit_reached',
  paused: 'sale_paused',
  unknown: 'outcome_unknown',
} as const satisfies Record<string, ProblemCode>;

/** POST /purchase buys the cart of a code, once and for ever. GET /purchases/{code} has its receipt. */
export const purchaseEndpoints = (deps: PurchaseDeps): Documented[] => [
  {
    method: 'POST',
    path: '/purchase',
    operation: PURCHASE,
    needsBuyer: true,
    async answer(asked) {
      const errors: FieldErrors = {};
      const code = readParameter(asked.query, 'code', CODE, errors);
      if (code === undefined) return problem(asked, 'validation_failed', { errors });
      const saleId = saleOfCode(code);
      if (saleId === undefined) return problem(asked, 'checkout_not_found');
      asked.sale = saleId;
      if (asked.buyer !== undefined && isAnothers(asked, await deps.ownerOf(code)))
        return problem(asked, 'buyer_mismatch');
      return buy(deps, asked, code, saleId);
    },
  },
  {
    method: 'GET',
    path: '/purchases/:code',
    operation: READ_RECEIPT,
    needsBuyer: true,
    async answer(asked) {
      const code = asked.params.code as string;
      const found = saleOfCode(code) && (await findDecision(deps.postgres, code));
      if (!found) return problem(asked, 'checkout_not_found');
      if (isAnothers(asked, found.decision.userId)) return problem(asked, 'buyer_mismatch');
      return json(200, viewOfOwnPurchase(found), NO_STORE);
    },
  },
];

/** Whether a token has proved another user than the owner, as far as that one is known. */
export const isAnothers = ({ buyer }: Asked, owner: string | undefined): boolean =>
  buyer !== undefined && owner !== undefined && owner !== buyer;

async function buy(
  { liveSales, postgres }: PurchaseDeps,
  asked: Asked,
  code: string,
  saleId: string,
): Promise<Answer> {
  const result = await liveSales.find(saleId)?.purchases.add(code);
  // Redis does not hold the sale or the code: Postgres has every code that was decided.
  if (result === undefined || result.outcome === 'no-code') {
    const found = await findDecision(postgres, code);
    if (found && isAnothers(asked, found.decision.userId)) return problem(asked, 'buyer_mismatch');
    if (found) return answerAgain(asked, viewOfReceipt(found));
    // This worker does not know the sale, but Redis may still hold it: the code may be valid.
    const isNews =
      result === undefined && (await readStanding(postgres, saleId, Date.now()))?.retired === false;
    return problem(asked, isNews ? 'unavailable' : 'checkout_not_found');
  }
  if (!('decision' in result)) return problem(asked, REFUSAL[result.outcome]);
  if (isAnothers(asked, result.decision.userId)) return problem(asked, 'buyer_mismatch');
  const receipt = viewOfReceipt(result);
  if (result.outcome === 'decided-before') return answerAgain(asked, receipt);
  asked.bought = unitsIn(result.decision.lines);
  asked.lost = receipt.failed_count;
  return answerFirst(asked, receipt);
}

/** The answer to the request that made the decision. */
function answerFirst(asked: Asked, receipt: ReceiptView, headers?: Record<string, string>): Answer {
  return receipt.success
    ? json(200, receipt, { ...NO_STORE, ...headers })
    : problem(asked, 'all_items_sold', { receipt }, { ...NO_STORE, ...headers });
}

/** The answer to a code that was decided before: the first one to a client that retries with an Idempotency-Key. */
function answerAgain(asked: Asked, receipt: ReceiptView): Answer {
  if (asked.headers.idempotencyKey !== undefined)
    return answerFirst(asked, receipt, { 'Idempotent-Replayed': 'true' });
  const sentence = receipt.success ? ALREADY_BOUGHT : undefined;
  return problem(asked, 'already_processed', { receipt }, NO_STORE, sentence);
}

const ALREADY_BOUGHT = 'This code was already processed: its items were bought, see receipt.';

const PURCHASE = operation({
  id: 'purchase',
  tag: 'Buying',
  needsBuyer: true,
  summary: 'Buy the cart',
  description:
    'Buys every line of the cart that is still for sale. One code has one outcome, however often and however concurrently you post it. 200 means that the purchase is committed.\n\nIf you get no answer, a reset, or `outcome_unknown`, post the same code again, with an `Idempotency-Key`, until the answer is anything but 503.',
  parameters: [
    query('code', CODE, 'The code from the checkout.', { example: STORY.code }),
    header(
      'Idempotency-Key',
      'With any value, a repeat gets the original answer again instead of `already_processed`. The code makes a purchase idempotent, not this value.',
      { type: 'string' },
      'order-1',
    ),
  ],
  answers: {
    200: answers(
      'At least one line was bought, and every bought line is committed.',
      RECEIPT_SCHEMA,
      STORY.receipt,
      ['Idempotent-Replayed', 'Cache-Control'],
    ),
  },
  problems: [
    'validation_failed',
    'sale_not_active',
    'user_limit_reached',
    'checkout_not_found',
    'sale_paused',
    'all_items_sold',
    'already_processed',
    'outcome_unknown',
    'overloaded',
    'unavailable',
  ],
});

const READ_RECEIPT = operation({
  id: 'readReceipt',
  tag: 'Buying',
  needsBuyer: true,
  summary: 'Read the receipt',
  description:
    'The outcome of a purchased code, for ever. A code that was not purchased yet is answered like an unknown one.',
  parameters: [path('code', CODE_SCHEMA, 'The code that was purchased.', STORY.code)],
  answers: {
    200: answers(
      'The lines that were bought, and those that were lost, and what has become of it.',
      OWN_PURCHASE_SCHEMA,
      STORY.ownPurchase,
      ['Cache-Control'],
    ),
  },
  problems: ['checkout_not_found', 'overloaded', 'unavailable'],
});
