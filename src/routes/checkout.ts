import { type Answer, JSON_TYPE, type RequestContext } from '../http/answer.ts';
import { type FieldErrors, type ParameterRule, type Query, readParameter } from '../http/input.ts';
import { type ProblemCode, problem } from '../http/problem.ts';
import { decideCheckout, type Verdict, type VerdictDeps } from '../selling/verdict.ts';
import type { Attempt, AttemptLog } from '../store/attempts/spool.ts';

export interface CheckoutDeps extends VerdictDeps {
  /** The slot that owns an item, told in the answer; undefined when workers have no ports of their own. */
  readonly ownerOf: ((itemId: string) => number) | undefined;
  readonly attempts: AttemptLog;
  /** True while the attempt log has no room: then nothing is attempted. */
  readonly isLogFull: () => boolean;
}

/** POST /checkout: puts an item into the user's cart. Every attempt is in the log before it is answered. */
export function checkout(deps: CheckoutDeps) {
  return async (context: RequestContext, query: Query): Promise<Answer> => {
    if (deps.isLogFull()) return problem(context, 'unavailable');
    const input = readInput(query);
    const decided = decide(deps, context, input);
    const verdict = decided instanceof Promise ? await decided : decided;
    context.sale = verdict.sale?.facts.id;
    try {
      await deps.attempts.record(attemptOf(context, input, verdict));
    } catch (error) {
      deps.onError(context, error);
      return problem(context, 'unavailable');
    }
    const answer = answerOf(context, input, verdict);
    if (deps.ownerOf === undefined || input.itemId === undefined) return answer;
    return { ...answer, headers: { ...answer.headers, 'X-Shard-Owner': String(deps.ownerOf(input.itemId)) } };
  };
}

const REQUIRED: ParameterRule = { required: true };
const OPTIONAL: ParameterRule = { required: false };
/** The parameters of a checkout. Older clients say item_id. */
export const CHECKOUT_QUERY = {
  user_id: REQUIRED,
  id: REQUIRED,
  item_id: REQUIRED,
  sale_id: OPTIONAL,
} as const;

interface Input {
  readonly userId: string | undefined;
  readonly itemId: string | undefined;
  readonly saleId: string | undefined;
  readonly errors: FieldErrors;
}

function readInput(query: Query): Input {
  const errors: FieldErrors = {};
  const userId = readParameter(query, 'user_id', CHECKOUT_QUERY.user_id, errors);
  const alias = query.has('id') || !query.has('item_id') ? 'id' : 'item_id';
  const itemId = readParameter(query, alias, CHECKOUT_QUERY[alias], errors);
  const saleId = readParameter(query, 'sale_id', CHECKOUT_QUERY.sale_id, errors);
  return { userId, itemId, saleId, errors };
}

function decide(deps: CheckoutDeps, context: RequestContext, input: Input): Verdict | Promise<Verdict> {
  const { userId, itemId, saleId, errors } = input;
  if (userId === undefined || itemId === undefined || errors.sale_id !== undefined) {
    return { outcome: 'validation_failed' };
  }
  return decideCheckout(deps, context, { userId, itemId }, saleId);
}

function attemptOf(context: RequestContext, input: Input, verdict: Verdict): Attempt {
  return {
    atMs: Date.now(),
    saleId: verdict.sale?.facts.id ?? input.saleId,
    userId: input.userId,
    itemId: input.itemId,
    outcome: verdict.outcome,
    code: verdict.result?.code || undefined,
    requestId: context.requestId,
  };
}

function answerOf(context: RequestContext, { errors }: Input, { outcome, sale, result }: Verdict): Answer {
  if (outcome === 'accepted' && result && sale) {
    // Codes and times hold nothing that JSON would escape.
    const body = `{"code":"${result.code}","items_count":${result.lines},"sale_ends_at":"${sale.endsAt}"}`;
    return { status: 200, type: JSON_TYPE, body };
  }
  if (outcome === 'validation_failed') return problem(context, outcome, { errors });
  // A client whose first answer was lost needs the code of its cart to go on.
  if (outcome === 'already_in_checkout') return problem(context, outcome, { checkout_code: result?.code });
  return problem(context, outcome as ProblemCode);
}
