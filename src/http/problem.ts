import type { Answer } from './answer.ts';
import type { Asked } from './asked.ts';

/**
 * Every error the service can answer, in one place: stable code → status, title, sentence.
 * RFC 9457 problem details; `message` repeats the sentence for older clients.
 */
export const PROBLEMS = {
  validation_failed: [400, 'Validation failed', 'The request is not valid: see errors.'],
  malformed_request: [400, 'Malformed request', 'The request cannot be read.'],
  already_in_checkout: [400, 'Already in checkout', 'This item is already in your cart.'],
  user_limit_reached: [
    400,
    'User limit reached',
    'This would exceed the limit of items per user in this sale.',
  ],
  sale_not_active: [400, 'Sale not active', 'The sale has not begun or has ended.'],
  unauthorized: [401, 'Unauthorized', 'Send the header Authorization: Bearer with the admin token.'],
  buyer_unproven: [
    401,
    'Buyer unproven',
    'Buyers prove themselves here: send Authorization: Bearer with a valid token. The header WWW-Authenticate says what is wrong.',
  ],
  buyer_mismatch: [403, 'Buyer mismatch', 'The token is of another user than the one that this concerns.'],
  not_admitted: [
    403,
    'Not admitted',
    'The queue of this sale has not reached you; nothing happened. Try again after Retry-After, with your ticket.',
  ],
  sale_not_found: [404, 'Sale not found', 'There is no such sale, or none is active now.'],
  item_not_found: [
    404,
    'Item not found',
    'There is no such item in this sale. To buy from another sale, give its sale_id.',
  ],
  checkout_not_found: [404, 'Checkout not found', 'This checkout code was not found.'],
  not_found: [404, 'Not found', 'There is nothing at this path.'],
  method_not_allowed: [
    405,
    'Method not allowed',
    'This path does not support the method: see the header Allow.',
  ],
  request_timeout: [408, 'Request timeout', 'The request took too long to arrive.'],
  item_already_sold: [409, 'Item already sold', 'This item is already sold.'],
  sale_sold_out: [
    409,
    'Sale sold out',
    'Every item of this sale is sold. To buy from another sale, give its sale_id.',
  ],
  sale_paused: [
    409,
    'Sale paused',
    'The sale is paused; nothing happened. A code stays good: try again after Retry-After.',
  ],
  sale_state_conflict: [409, 'Sale state conflict', 'The state of the sale does not allow this.'],
  all_items_sold: [409, 'All items sold', 'Every item of the cart was already sold; the code is spent.'],
  already_processed: [409, 'Already processed', 'This code was already processed: see receipt.'],
  no_payment_window: [
    409,
    'No payment window',
    'This purchase is final: its sale has no payment window. Cancelling takes it back.',
  ],
  nothing_bought: [409, 'Nothing bought', 'This code has bought nothing: see its receipt.'],
  payment_released: [
    409,
    'Payment released',
    'The purchase was released before: its payment failed or came too late, and its units are for sale again.',
  ],
  payment_confirmed: [
    409,
    'Payment confirmed',
    'The payment was confirmed, so that nothing is released. Cancelling takes the purchase back.',
  ],
  payment_pending: [409, 'Payment pending', 'The payment is pending. Releasing takes the purchase back.'],
  exceeds_purchase: [
    409,
    'Exceeds purchase',
    'This is more than the buyer has of the purchase: see left. Nothing happened.',
  ],
  events_gone: [
    410,
    'Events gone',
    'The event named by after is not kept any more, or was lost: begin without after.',
  ],
  precondition_failed: [
    412,
    'Precondition failed',
    'The sale was changed since: If-Match does not name its ETag.',
  ],
  body_too_large: [413, 'Body too large', 'The body is larger than this path accepts.'],
  unsupported_media_type: [
    415,
    'Unsupported media type',
    'The body is of a type that this path does not take: see its description.',
  ],
  expectation_failed: [
    417,
    'Expectation failed',
    'The header Expect asks for something that is not supported.',
  ],
  idempotency_mismatch: [
    422,
    'Idempotency mismatch',
    'This Idempotency-Key was sent with another request; nothing happened. Give every request a key of its own.',
  ],
  rate_limited: [
    429,
    'Too many requests',
    'Too many requests of this user or address: wait as long as Retry-After says.',
  ],
  headers_too_large: [
    431,
    'Headers too large',
    'The request line and headers are larger than 8 KiB, or too many.',
  ],
  internal_error: [
    500,
    'Internal error',
    'The service failed. Its log has the details under the request id.',
  ],
  overloaded: [
    503,
    'Overloaded',
    'Too many requests are waiting; nothing happened. Try again after Retry-After.',
  ],
  unavailable: [
    503,
    'Unavailable',
    'The service cannot do this now; nothing happened. Try again after Retry-After.',
  ],
  outcome_unknown: [
    503,
    'Outcome unknown',
    'The purchase may have gone through. Post the same code again to find out.',
  ],
} as const satisfies Record<string, readonly [number, string, string]>;

export type ProblemCode = keyof typeof PROBLEMS;

/** Extension members of a problem: `errors` of a validation, `receipt` of a purchase made before, … */
export type Extensions = Readonly<Record<string, unknown>>;

export const PROBLEM_TYPE = 'application/problem+json';
/** Long enough to spread a crowd's retries, short enough to keep the buyers. */
const RETRY_AFTER_S = '1';

/** Headers that a problem always has. */
function headersOf(code: string, status: number): Record<string, string> | undefined {
  if (status === 503 || code === 'sale_paused') return { 'Retry-After': RETRY_AFTER_S };
  // A cache may keep a 404, and the code may have a receipt a moment later.
  if (code === 'checkout_not_found') return { 'Cache-Control': 'no-store' };
  return code === 'unauthorized' || code === 'buyer_unproven' ? { 'WWW-Authenticate': 'Bearer' } : undefined;
}

/** The part of a body that does not depend on the request. */
function fixedPart(code: ProblemCode, sentence: string): string {
  const [status, title] = PROBLEMS[code];
  const fixed = {
    type: `urn:flashsale:problem:${code}`,
    title,
    status,
    detail: sentence,
    code,
    message: sentence,
  };
  return JSON.stringify(fixed).slice(0, -1);
}

const prepared = new Map(
  (Object.keys(PROBLEMS) as ProblemCode[]).map((code) => {
    const [status, , sentence] = PROBLEMS[code];
    return [code, { status, fixed: fixedPart(code, sentence), own: headersOf(code, status) }];
  }),
);

type Prepared = { readonly status: number; readonly fixed: string; readonly own: Answer['headers'] };

/** The answer to a refused or failed request; the only place that makes one. `sentence` replaces the one of the table. */
export function problem(
  asked: Pick<Asked, 'requestId' | 'path'>,
  code: ProblemCode,
  extensions?: Extensions,
  headers?: Readonly<Record<string, string>>,
  sentence?: string,
): Answer {
  const { status, fixed, own } = prepared.get(code) as Prepared;
  // A request id is of [A-Za-z0-9._-]; a path may hold anything.
  const request = `,"instance":${JSON.stringify(asked.path)},"request_id":"${asked.requestId}"`;
  const more = extensions ? `,${JSON.stringify(extensions).slice(1, -1)}` : '';
  return {
    status,
    code,
    type: PROBLEM_TYPE,
    body: `${sentence === undefined ? fixed : fixedPart(code, sentence)}${request}${more}}`,
    ...((own || headers) && { headers: { ...own, ...headers } }),
  };
}
