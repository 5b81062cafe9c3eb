import type { LiveSale } from '../messages.ts';
import type { Shard } from '../shard/shard.ts';
import type { Attempt, AttemptLog } from '../store/attempts.ts';
import type { Batcher } from '../store/batcher.ts';
import type { CheckoutOp, CheckoutResult } from '../store/checkout.ts';
import type { SaleState } from '../store/sales.ts';
import { type Answer, JSON_TYPE, type RequestContext } from './answer.ts';
import { failureCode } from './failure.ts';
import { type FieldErrors, type Query, readParameter } from './input.ts';
import { type ProblemCode, problem } from './problem.ts';

/** A sale as the routes need it: its facts and the way into its stores. */
export interface OpenSale {
  readonly facts: LiveSale;
  /** The end as the contract writes it. */
  readonly endsAt: string;
  readonly checkouts: Batcher<CheckoutOp, CheckoutResult>;
}

export interface CheckoutDeps {
  /** The sale of that id, or the one that is meant without an id; at that time when one is given. */
  readonly findSale: (saleId: string | undefined, atMs?: number) => OpenSale | undefined;
  /** What Postgres says of a sale; asked only about one that this worker does not know. */
  readonly readSaleState: (saleId: string) => Promise<SaleState | undefined>;
  /** What this worker remembers: a positive verdict refuses without asking Redis. */
  readonly shard: Pick<Shard, 'verdict'>;
  readonly attempts: AttemptLog;
  /** True while the attempt log has no room: then nothing is attempted. */
  readonly isLogFull: () => boolean;
  readonly onError: (context: RequestContext, error: unknown) => void;
}

const REFUSAL = {
  'not-begun': 'sale_not_active',
  ended: 'sale_not_active',
  'sold-out': 'sale_sold_out',
  'no-item': 'item_not_found',
  'item-sold': 'item_already_sold',
  'already-in-cart': 'already_in_checkout',
  limit: 'user_limit_reached',
} as const satisfies Record<string, ProblemCode>;

const REMEMBERED = { sold: 'item_already_sold', 'sold-out': 'sale_sold_out' } as const;

// Outside its hours Redis says what a sale is; by this clock, which may be a little wrong, memory is not asked.
function isOpen({ startsAtMs, endsAtMs }: LiveSale): boolean {
  const now = Date.now();
  return startsAtMs <= now && now < endsAtMs;
}

/** What a handler found out: enough for the answer and for the attempt log. */
interface Verdict {
  readonly outcome: 'accepted' | ProblemCode;
  readonly sale?: OpenSale | undefined;
  readonly result?: CheckoutResult;
  readonly errors?: FieldErrors;
}

/** POST /checkout: puts an item into the user's cart. Every attempt is in the log before it is answered. */
export function checkout(deps: CheckoutDeps) {
  return async (context: RequestContext, query: Query): Promise<Answer> => {
    if (deps.isLogFull()) return problem(context, 'unavailable');
    const input = readInput(query);
    const verdict = refuseAtOnce(deps, input) ?? (await decide(deps, context, input));
    try {
      await deps.attempts.record(attemptOf(context, input, verdict));
    } catch (error) {
      deps.onError(context, error);
      return problem(context, 'unavailable');
    }
    return answerOf(context, verdict);
  };
}

interface Input {
  readonly userId: string | undefined;
  readonly itemId: string | undefined;
  readonly saleId: string | undefined;
  readonly errors: FieldErrors;
}

function readInput(query: Query): Input {
  const errors: FieldErrors = {};
  const userId = readParameter(query, 'user_id', { required: true }, errors);
  // Older clients say item_id.
  const alias = query.has('id') || !query.has('item_id') ? 'id' : 'item_id';
  const itemId = readParameter(query, alias, { required: true }, errors);
  const saleId = readParameter(query, 'sale_id', { required: false }, errors);
  return { userId, itemId, saleId, errors };
}

/** What can be refused without waiting for anybody: what is malformed, and what this worker knows to be gone. */
function refuseAtOnce({ findSale, shard }: CheckoutDeps, input: Input): Verdict | undefined {
  const { userId, itemId, saleId, errors } = input;
  if (userId === undefined || itemId === undefined || errors.sale_id !== undefined) {
    return { outcome: 'validation_failed', errors };
  }
  const sale = findSale(saleId);
  if (sale === undefined || !isOpen(sale.facts)) return undefined;
  const remembered = shard.verdict(sale.facts.id, itemId);
  return typeof remembered === 'string' ? { outcome: REMEMBERED[remembered], sale } : undefined;
}

async function decide(deps: CheckoutDeps, context: RequestContext, input: Input): Promise<Verdict> {
  const { saleId } = input;
  const op = { userId: input.userId as string, itemId: input.itemId as string };
  const sale = deps.findSale(saleId);
  try {
    if (sale === undefined) return { outcome: await refuseUnknown(deps, saleId) };
    // A foreign item that may be sold: its owner is asked.
    const confirming = isOpen(sale.facts) && deps.shard.verdict(sale.facts.id, op.itemId);
    if (confirming && (await confirming) === 'sold') return { outcome: 'item_already_sold', sale };
    const verdict = await ask(sale, op);
    return verdict.outcome === 'sale_not_active' && saleId === undefined
      ? await askNeighbour(deps, verdict, op)
      : verdict;
  } catch (error) {
    deps.onError(context, error);
    return { outcome: failureCode(error, 'unavailable'), sale };
  }
}

/** A sale that is not among the live ones is over, or unknown, or so new that this worker has not been told yet. */
async function refuseUnknown(
  { readSaleState }: CheckoutDeps,
  saleId: string | undefined,
): Promise<ProblemCode> {
  const state = saleId === undefined ? undefined : await readSaleState(saleId);
  if (state === undefined) return 'sale_not_found';
  return state === 'active' ? 'unavailable' : 'sale_not_active';
}

async function ask(sale: OpenSale, op: CheckoutOp): Promise<Verdict & { result: CheckoutResult }> {
  const result = await sale.checkouts.add(op);
  const outcome = result.outcome === 'added' ? 'accepted' : REFUSAL[result.outcome as keyof typeof REFUSAL];
  return { outcome, sale, result };
}

/**
 * Which sale is meant is chosen by the worker's clock, which may differ a little from Redis': at the change of
 * the hour, the neighbour that Redis has already opened, or not yet closed, is asked once.
 */
async function askNeighbour(
  deps: CheckoutDeps,
  refused: Verdict & { result: CheckoutResult },
  op: CheckoutOp,
): Promise<Verdict> {
  const { startsAtMs, endsAtMs } = (refused.sale as OpenSale).facts;
  const neighbour = deps.findSale(undefined, refused.result.outcome === 'ended' ? endsAtMs : startsAtMs - 1);
  return neighbour === undefined || neighbour === refused.sale ? refused : await ask(neighbour, op);
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

function answerOf(context: RequestContext, { outcome, sale, result, errors }: Verdict): Answer {
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
