import pg from 'pg';
import type { Breaker } from './breaker.ts';
import { Overloaded, Unanswered, Unavailable } from './errors.ts';
import { type Meaning, meaningOf } from './sqlstates.ts';

/** What an error of Postgres itself means; undefined for errors of the connection. */
const meaningIn = (error: unknown): Meaning | undefined =>
  error instanceof pg.DatabaseError && error.code !== undefined ? meaningOf(error.code) : undefined;

/** Whether a statement was refused because it contradicts an existing row, or sells a unit that does not exist. */
export const isContradiction = (error: unknown): error is pg.DatabaseError =>
  meaningIn(error) === 'contradiction' ||
  (error instanceof pg.DatabaseError && error.constraint === 'purchases_within_stock');

/** Whether Postgres will never accept these values, however often they are sent. */
export const isRefusal = (error: unknown): error is pg.DatabaseError =>
  meaningIn(error) === 'contradiction' || meaningIn(error) === 'refused';

/**
 * Makes the judge of a pool's errors: returns the error that the caller gets, and trips the breaker when the server or the
 * connection failed. `doubt` is called for a read that was late, which says nothing about Postgres.
 */
export function createJudge(breaker: Breaker, doubt: () => void) {
  return (error: Error, isRead: boolean): Error => {
    const { message } = error;
    switch (meaningIn(error)) {
      case 'contradiction':
      case 'refused':
      case 'bug':
        return error;
      case 'busy':
        return new Overloaded(`Postgres: ${message}`);
      case 'read-only':
        breaker.trip(error);
        return new Unavailable(`Postgres: ${message}`);
      case 'away':
      case undefined:
        // pg-pool's message when all connections are busy, which says nothing about Postgres.
        if (message === 'timeout exceeded when trying to connect')
          return new Overloaded('no connection came free');
        if (isRead && message === 'Query read timeout') {
          doubt();
          return new Overloaded('a read took too long');
        }
        breaker.trip(error);
        return new Unanswered(`Postgres: ${message}`);
    }
  };
}
