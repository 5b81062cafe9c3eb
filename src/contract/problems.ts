import { PROBLEM_TYPE, PROBLEMS, type ProblemCode } from '../http/problem.ts';
import { HEADERS, type HeaderName, headerRefs } from './headers.ts';
import { nameOf } from './problem-schemas.ts';
import { ref } from './schema.ts';
import type { Response, Schema } from './types.ts';

/** Any request may get these, whatever its route does: documented once, for all. */
export const ANYWHERE = [
  'malformed_request',
  'not_found',
  'method_not_allowed',
  'request_timeout',
  'body_too_large',
  'expectation_failed',
  'headers_too_large',
  'internal_error',
] as const satisfies readonly ProblemCode[];

const headersOf = (code: ProblemCode): HeaderName[] => {
  if (PROBLEMS[code][0] === 503 || code === 'sale_paused' || code === 'not_admitted') return ['Retry-After'];
  if (code === 'unauthorized' || code === 'buyer_unproven') return ['WWW-Authenticate'];
  if (code === 'rate_limited') return ['Retry-After', 'RateLimit', 'RateLimit-Policy'];
  if (code === 'all_items_sold') return ['Idempotent-Replayed', 'Cache-Control'];
  if (code === 'already_processed' || code === 'checkout_not_found') return ['Cache-Control'];
  return code === 'method_not_allowed' ? ['Allow'] : [];
};

/** The headers of an answer that is one of these problems; what not all of them have is not required. */
function headersOfAny(
  codes: readonly ProblemCode[],
  more: readonly HeaderName[],
): NonNullable<Response['headers']> {
  const names = [...new Set([...codes.flatMap(headersOf), ...more])];
  const isOfAll = (name: HeaderName) =>
    more.includes(name) || codes.every((code) => headersOf(code).includes(name));
  const some = names.filter((name) => 'required' in HEADERS[name] && !isOfAll(name));
  const optional = some.map((name) => [name, { ...HEADERS[name], required: false }] as const);
  return { ...headerRefs(names), ...Object.fromEntries(optional) };
}

/** One response that is any of these problems. */
export function problemResponse(
  codes: readonly ProblemCode[],
  headers: readonly HeaderName[] = [],
): Response {
  const schemas = codes.map((code) => ref('schemas', nameOf(code)));
  return {
    description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code][2]}`).join('\n\n'),
    headers: headersOfAny(codes, headers),
    content: {
      [PROBLEM_TYPE]: {
        schema: schemas.length === 1 ? (schemas[0] as Schema) : { oneOf: schemas },
        examples: Object.fromEntries(codes.map((code) => [code, ref('examples', code)])),
      },
    },
  };
}

/** Responses by status, each with the problems of that status. */
export function problemResponses(
  codes: readonly ProblemCode[],
  headers: readonly HeaderName[] = [],
): Record<string, Response> {
  const statuses = [...new Set(codes.map((code) => PROBLEMS[code][0]))];
  const ofStatus = (status: number) => codes.filter((code) => PROBLEMS[code][0] === status);
  return Object.fromEntries(
    statuses.map((status) => [String(status), problemResponse(ofStatus(status), headers)]),
  );
}
