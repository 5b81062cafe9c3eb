import { Unanswered } from './errors.ts';

/**
 * The promise's own outcome, or `Unanswered` after `ms` milliseconds.
 * The work itself goes on: a store may still do it.
 */
export function withDeadline<T>(work: Promise<T>, ms: number, what: string): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Unanswered(`${what}: no answer within ${ms} ms`)), ms);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
