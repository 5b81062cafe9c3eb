import { answers, type Documented, operation } from '../contract/operation.ts';
import { query } from '../contract/parameters.ts';
import { count, named, objectOf } from '../contract/schema.ts';
import { CODE_SCHEMA, time } from '../contract/schemas.ts';
import { STORY } from '../contract/story.ts';
import { type Answer, JSON_TYPE } from '../http/answer.ts';
import type { Asked } from '../http/asked.ts';
import { type FieldErrors, type ParameterRule, type Query, readParameter, USER } from '../http/input.ts';
import { type ProblemCode, problem } from '../http/problem.ts';
import { decideCheckout, type Verdict, type VerdictDeps } from '../selling/verdict.ts';
import type { Attempt } from '../store/attempts/spool.ts';
import { readStanding } from '../store/sales.ts';
import type { RouteDeps } from './deps.ts';
import { notAdmitted, TICKET_GIVEN } from './queue.ts';

/** POST /checkout: puts an item into the user's cart. Every attempt is in the log before it is answered. */
export function checkoutEndpoint(deps: RouteDeps): Documented {
  const { config, attempts, shard, liveSales, postgres, onError } = deps;
  const verdictDeps: VerdictDeps = {
    findSale: liveSales.find,
    standingOf: (id) => readStanding(postgres, id, Date.now()),
    shard: config.shard === 'on' ? shard : { verdict: () => undefined },
    onError,
  };

  return {
    method: 'POST',
    path: '/checkout',
    operation: DESCRIBED,
    needsBuyer: true,
    namesBuyer: true,
    async refuse(asked, answer) {
      if (deps.isLogFull()) return problem(asked, 'unavailable');
      const outcome = answer.code as ProblemCode;
      await attempts.record(attemptOf(asked, readInput(asked), { outcome }));
      return answer;
    },
    async answer(asked) {
      if (deps.isLogFull()) return problem(asked, 'unavailable');
      const input = readInput(asked);
      const decided = decide(verdictDeps, asked, input);
      const verdict = decided instanceof Promise ? await decided : decided;
      asked.sale = verdict.sale?.facts.id;
      await attempts.record(attemptOf(asked, input, verdict));
      const answer = answerOf(asked, input, verdict);
      // Without ports of their own, clients cannot choose a worker.
      if (config.workerPortBase === undefined || input.itemId === undefined) return answer;
      const owner = String(shard.ring.ownerOf(input.itemId));
      return { ...answer, headers: { ...answer.headers, 'X-Shard-Owner': owner } };
    },
  };
}

const REQUIRED: ParameterRule = { required: true };
const OPTIONAL: ParameterRule = { required: false };
const QUANTITY: ParameterRule = {
  required: false,
  pattern: /^(1000000|\d{1,6})$/,
  form: 'a whole number from 0 to 1000000',
};
/** A token names its user; `user_id` may repeat it. */
const USER_AGAIN: ParameterRule = { ...USER, required: false };

interface Input {
  readonly userId: string | undefined;
  readonly itemId: string | undefined;
  readonly saleId: string | undefined;
  readonly quantity: number | undefined;
  readonly ticket: string | undefined;
  readonly errors: FieldErrors;
}

function readInput({ query, buyer }: Asked): Input {
  const errors: FieldErrors = {};
  const given = readParameter(query, 'user_id', buyer === undefined ? USER : USER_AGAIN, errors);
  const userId = errors.user_id === undefined ? (buyer ?? given) : undefined;
  const itemId = readItemId(query, errors);
  const saleId = readParameter(query, 'sale_id', OPTIONAL, errors);
  const units = readParameter(query, 'quantity', QUANTITY, errors);
  const quantity = units === undefined ? undefined : Number(units);
  const ticket = readParameter(query, 'ticket', TICKET_GIVEN, errors);
  return { userId, itemId, saleId, quantity, ticket, errors };
}

/** Older clients say `item_id`, and look for it in `errors`. */
function readItemId(query: Query, errors: FieldErrors): string | undefined {
  const id = readParameter(query, 'id', OPTIONAL, errors);
  const alias = readParameter(query, 'item_id', OPTIONAL, errors);
  if (errors.id !== undefined || errors.item_id !== undefined) return undefined;
  if (id === undefined && alias === undefined) {
    for (const name of ['id', 'item_id']) errors[name] = `${name} is required`;
  } else if (id !== undefined && alias !== undefined && id !== alias) {
    errors.item_id = 'item_id must be the same as id, or be left out';
    return undefined;
  }
  return id ?? alias;
}

function decide(deps: VerdictDeps, asked: Asked, input: Input): Verdict | Promise<Verdict> {
  const { userId, itemId, saleId, quantity, ticket, errors } = input;
  const isWrong =
    errors.sale_id !== undefined || errors.quantity !== undefined || errors.ticket !== undefined;
  if (userId === undefined || itemId === undefined || isWrong) {
    return { outcome: 'validation_failed' };
  }
  return decideCheckout(deps, asked, { op: { userId, itemId, quantity }, saleId, ticket });
}

function attemptOf(asked: Asked, input: Input, verdict: Verdict): Attempt {
  return {
    atMs: Date.now(),
    saleId: verdict.sale?.facts.id ?? input.saleId,
    userId: input.userId,
    itemId: input.itemId,
    outcome: verdict.outcome,
    code: verdict.result?.code || undefined,
    requestId: asked.requestId,
  };
}

function answerOf(asked: Asked, { errors, quantity = 1 }: Input, verdict: Verdict): Answer {
  const { outcome, sale, result } = verdict;
  if (outcome === 'accepted' && result && sale) {
    // Codes and times need no JSON escapes.
    const body = `{"code":"${result.code}","items_count":${result.lines},"sale_ends_at":"${sale.endsAt}"}`;
    return { status: 200, type: JSON_TYPE, body };
  }
  if (outcome === 'validation_failed') return problem(asked, outcome, { errors });
  // A client whose first answer was lost needs the code of its cart to go on.
  if (outcome === 'already_in_checkout') return problem(asked, outcome, { checkout_code: result?.code });
  if (outcome === 'not_admitted') return notAdmitted(asked, verdict.turn);
  const sentence = outcome === 'item_already_sold' && quantity > 1 ? TOO_FEW : undefined;
  return problem(asked, outcome as ProblemCode, undefined, undefined, sentence);
}

const TOO_FEW = 'Fewer units are left than you ask for: the others are already sold.';

const CART_SCHEMA = named(
  'Cart',
  objectOf({
    code: CODE_SCHEMA,
    items_count: count('Lines in the cart.'),
    sale_ends_at: time('When the sale closes, UTC.'),
  }),
);

const USER_ID_TEXT =
  'The buyer, as your gateway or identity provider names them (`auth0|5f7c`, `ada@example.com`), percent-encoded: the service knows no users. Where a token proves the buyer, it may be left out, and must be equal when given.';

const DESCRIBED = operation({
  id: 'checkout',
  tag: 'Buying',
  needsBuyer: true,
  summary: 'Put an item into the cart',
  description:
    'Adds an item to the user’s cart and answers the code of the cart, which stays the same until the cart is purchased. A cart reserves nothing: an item in it may be sold to somebody else. Safe to retry: if the item is in the cart already, the answer is `already_in_checkout`, with the code. With `quantity`, the answer is the cart as it is now.\n\nLines of items that are sold out do not count towards the limit.',
  parameters: [
    query('user_id', USER, USER_ID_TEXT, { example: STORY.user }),
    query('id', REQUIRED, 'The item.', { example: STORY.item }),
    query('sale_id', OPTIONAL, 'The sale. Default: the active one, see `GET /sales/active`.', {
      example: STORY.saleId,
    }),
    query(
      'quantity',
      QUANTITY,
      'Sets the units of this item in the cart, also when it is there already; 0 takes it out. A line is bought whole or not at all. Without it one unit is added.',
    ),
    query(
      'ticket',
      TICKET_GIVEN,
      'The buyer’s ticket of the queue, where the sale has one: see `POST /queue`. Ignored elsewhere.',
    ),
    query('item_id', OPTIONAL, 'The name of `id` in older clients. If you give both, they must be equal.', {
      deprecated: true,
    }),
  ],
  answers: { 200: answers('The item is in the cart.', CART_SCHEMA, STORY.cart, ['X-Shard-Owner']) },
  problems: [
    'validation_failed',
    'sale_not_active',
    'already_in_checkout',
    'user_limit_reached',
    'sale_not_found',
    'item_not_found',
    'item_already_sold',
    'sale_sold_out',
    'sale_paused',
    'not_admitted',
    'overloaded',
    'unavailable',
  ],
  problemHeaders: ['X-Shard-Owner'],
});
