import { Overloaded, Unanswered, Unavailable } from '../store/errors.ts';
import type { ProblemCode } from './problem.ts';

/**
 * The problem that an error of a store is to the client. `unanswered` is what it means to this route that
 * something was sent and no answer came. Anything unforeseen is a bug of ours.
 */
export function failureCode(
  error: unknown,
  unanswered: 'unavailable' | 'outcome_unknown' = 'unavailable',
): ProblemCode {
  if (error instanceof Unavailable) return 'unavailable';
  if (error instanceof Overloaded) return 'overloaded';
  if (error instanceof Unanswered) return unanswered;
  return 'internal_error';
}
