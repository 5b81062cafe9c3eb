import type { ProblemCode } from '../http/problem.ts';
import type { HeaderName, ParameterName } from './parameters.ts';
import { headerRefs, problemResponses } from './problems.ts';
import { ref } from './schema.ts';
import type { Operation, Response, Schema } from './types.ts';

interface Described {
  readonly id: string;
  readonly tag: 'Buying' | 'Sales' | 'Admin' | 'Operations';
  readonly summary: string;
  readonly description: string;
  readonly parameters?: readonly ParameterName[];
  readonly body?: NonNullable<Operation['requestBody']>;
  readonly isAdmin?: boolean;
  /** The answers that are no problems, by status. */
  readonly answers: Readonly<Record<string, Response>>;
  readonly problems?: readonly ProblemCode[];
  /** Headers of the problems, beside those that their codes bring along. */
  readonly problemHeaders?: readonly HeaderName[];
}

/** An operation with what all have: the headers of every request, and the problems that any may meet. */
export function operation(described: Described): Operation {
  const parameters = [...(described.parameters ?? []), 'request_id', 'traceparent'];
  return {
    operationId: described.id,
    tags: [described.tag],
    summary: described.summary,
    description: described.description,
    // Open in development without a token, so that it is one of two ways.
    ...(described.isAdmin && { security: [{ admin: [] }, {}] }),
    parameters: parameters.map((name) => ref('parameters', name)),
    ...(described.body && { requestBody: described.body }),
    responses: {
      ...described.answers,
      ...problemResponses(described.problems ?? [], described.problemHeaders),
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
  description: 'What you have is still right.',
  headers: headerRefs(['ETag', 'Cache-Control']),
};
