import type { ProblemCode } from '../http/problem.ts';
import type { Endpoint } from '../http/route.ts';
import { type HeaderName, headerRefs } from './headers.ts';
import { COMMON_PARAMETERS } from './parameters.ts';
import { problemResponses } from './problems.ts';
import { ref } from './schema.ts';
import type { Operation, Parameter, Response, Schema } from './types.ts';

/** An endpoint with its description in the contract. */
export interface Documented extends Endpoint {
  readonly operation: Operation;
}

interface Description {
  readonly id: string;
  readonly tag: 'Buying' | 'Sales' | 'Admin' | 'Operations';
  readonly summary: string;
  readonly description: string;
  readonly parameters?: readonly Parameter[];
  readonly body?: NonNullable<Operation['requestBody']>;
  readonly isAdmin?: boolean;
  /** Needs the token of a buyer, where buyers must prove themselves. */
  readonly needsBuyer?: boolean;
  /** The answers that are not problems, by status. */
  readonly answers: Readonly<Record<string, Response>>;
  readonly problems?: readonly ProblemCode[];
  /** Further headers of the problems, beside those of their codes. */
  readonly problemHeaders?: readonly HeaderName[];
}

/** Completes an operation with what all have: the headers of every request, and the problems of any. */
export function operation(described: Description): Operation {
  const ofBuyer: readonly ProblemCode[] = described.needsBuyer ? ['buyer_unproven', 'buyer_mismatch'] : [];
  const common = Object.keys(COMMON_PARAMETERS).map((name) => ref('parameters', name));
  return {
    operationId: described.id,
    tags: [described.tag],
    summary: described.summary,
    description: described.description,
    // The token is optional: without `ADMIN_TOKEN` the path is open in development, and buyers prove themselves only where
    // that is configured.
    ...(described.isAdmin && { security: [{ admin: [] }, {}] }),
    ...(described.needsBuyer && { security: [{ buyer: [] }, {}] }),
    parameters: [...(described.parameters ?? []), ...common],
    ...(described.body && { requestBody: described.body }),
    responses: {
      ...described.answers,
      ...problemResponses([...(described.problems ?? []), ...ofBuyer], described.problemHeaders),
      // The operator's paths have no limit, and what else has one is for tools.
      ...(['Buying', 'Sales'].includes(described.tag) && { 429: ref('responses', 'RateLimited') }),
      default: ref('responses', 'AnyProblem'),
    },
  };
}

/** An answer with a JSON body of a schema. */
export const answers = (
  description: string,
  schema: Schema,
  example: unknown,
  headers: readonly HeaderName[] = [],
): Response => ({
  description,
  headers: headerRefs(headers),
  content: { 'application/json': { schema, examples: { example: { value: example } } } },
});

/** An answer with a body of another type. */
export const answersText = (
  description: string,
  type: string,
  headers: readonly HeaderName[] = [],
): Response => ({
  description,
  headers: headerRefs(headers),
  content: { [type]: { schema: { type: 'string' } } },
});

/** 304 to a caller that has the body already. */
export const notModified: Response = {
  description: 'The copy you have is current.',
  headers: headerRefs(['ETag', 'Cache-Control']),
};
