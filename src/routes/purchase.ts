import { type Answer, json, type RequestContext } from '../http/answer.ts';
import { failureCode } from '../http/failure.ts';
import { type FieldErrors, type Query, readParameter } from '../http/input.ts';
import { type ProblemCode, problem } from '../http/problem.ts';
import type { Batcher } from '../store/batcher.ts';
import { saleOfCode } from '../store/checkouts.ts';
import { type Receipt, receiptOf } from '../store/decision.ts';
import type { PurchaseResult } from '../store/purchases.ts';
import type { SaleStanding } from '../store/sales.ts';

export interface PurchaseDeps {
  /** The purchases of a sale that is still known to Redis. */
  readonly findPurchases: (saleId: string) => Batcher<string, PurchaseResult> | undefined;
  /** What Postgres says of a sale; asked only about one that this worker does not know. */
  readonly standingOf: (saleId: string) => Promise<SaleStanding | undefined>;
  /** The committed receipt of a code, from Postgres. */
  readonly findReceipt: (code: string) => Promise<Receipt | undefined>;
  readonly onError: (context: RequestContext, error: unknown) => void;
}

const REFUSAL = {
  'not-begun': 'sale_not_active',
  ended: 'sale_not_active',
  limit: 'user_limit_reached',
  unknown: 'outcome_unknown',
} as const satisfies Record<string, ProblemCode>;

/** Longer than any code; its form is nobody's business, so that every unknown code gets one and the same answer. */
export const CODE = { required: true, pattern: /^[!-~]{1,128}$/, form: 'a checkout code' } as const;

/** POST /purchase: buys the cart of a code, once and for ever. `replay` stands for an Idempotency-Key header. */
export function purchase(deps: PurchaseDeps) {
  return async (context: RequestContext, query: Query, replay: boolean): Promise<Answer> => {
    const errors: FieldErrors = {};
    const code = readParameter(query, 'code', CODE, errors);
    if (code === undefined) return problem(context, 'validation_failed', { errors });
    const saleId = saleOfCode(code);
    if (saleId === undefined) return problem(context, 'checkout_not_found');
    context.sale = saleId;
    try {
      return await buy(deps, context, { code, saleId, replay });
    } catch (error) {
      deps.onError(context, error);
      return problem(context, failureCode(error));
    }
  };
}

interface Posted {
  readonly code: string;
  readonly saleId: string;
  readonly replay: boolean;
}

async function buy(deps: PurchaseDeps, context: RequestContext, posted: Posted): Promise<Answer> {
  const result = await deps.findPurchases(posted.saleId)?.add(posted.code);
  // Redis has forgotten the sale, or never knew the code: Postgres remembers every code that was decided.
  if (result === undefined || result.outcome === 'no-code') {
    const receipt = await deps.findReceipt(posted.code);
    if (receipt) return answerAgain(context, receipt, posted.replay);
    // A sale that this worker does not know, and that may still be in Redis: the code may well be good.
    const isNews = result === undefined && (await deps.standingOf(posted.saleId))?.retired === false;
    return problem(context, isNews ? 'unavailable' : 'checkout_not_found');
  }
  if (!('decision' in result)) return problem(context, REFUSAL[result.outcome]);
  const receipt = receiptOf(result.decision.lines, result.names);
  if (result.outcome === 'decided-before') return answerAgain(context, receipt, posted.replay);
  context.bought = receipt.total_purchased;
  context.lost = receipt.failed_count;
  return answerFirst(context, receipt);
}

/** The answer to the request that made the decision. */
function answerFirst(context: RequestContext, receipt: Receipt, headers?: Record<string, string>): Answer {
  return receipt.success
    ? json(200, receipt, headers)
    : problem(context, 'all_items_sold', { receipt }, headers);
}

/** The answer to a code that was decided before. */
function answerAgain(context: RequestContext, receipt: Receipt, replay: boolean): Answer {
  return replay
    ? answerFirst(context, receipt, { 'Idempotent-Replayed': 'true' })
    : problem(context, 'already_processed', { receipt });
}

/** GET /purchases/{code}: the receipt of a decided code, for ever. */
export function readReceipt({ findReceipt, onError }: Pick<PurchaseDeps, 'findReceipt' | 'onError'>) {
  return async (context: RequestContext, code: string): Promise<Answer> => {
    try {
      const receipt = saleOfCode(code) && (await findReceipt(code));
      return receipt ? json(200, receipt) : problem(context, 'checkout_not_found');
    } catch (error) {
      onError(context, error);
      return problem(context, failureCode(error));
    }
  };
}
