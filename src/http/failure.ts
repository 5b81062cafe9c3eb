import { Overloaded, Unanswered, Unavailable } from '../store/errors.ts';
import type { ProblemCode } from './problem.ts';

/** The problem that a client gets for an error. Any error but those of the stores is a bug. */
export function failureCode(error: unknown): ProblemCode {
  if (error instanceof Unavailable || error instanceof Unanswered) return 'unavailable';
  if (error instanceof Overloaded) return 'overloaded';
  return 'internal_error';
}
