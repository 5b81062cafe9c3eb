import { Overloaded, Unanswered, Unavailable } from '../store/errors.ts';
import type { ProblemCode } from './problem.ts';

/** The problem that an error of a store is to the client. Anything unforeseen is a bug of ours. */
export function failureCode(error: unknown): ProblemCode {
  if (error instanceof Unavailable || error instanceof Unanswered) return 'unavailable';
  if (error instanceof Overloaded) return 'overloaded';
  return 'internal_error';
}
