import type { Answer } from '../http/answer.ts';
import type { Asked } from '../http/asked.ts';
import { failureCode } from '../http/failure.ts';
import type { Guard } from '../http/handle.ts';
import { type ProblemCode, problem } from '../http/problem.ts';
import type { Proof } from './proof.ts';
import { type Buyer, REFUSALS, type Refusal, Unproven } from './verify.ts';

export type Reason = Refusal | 'mismatch';

/** What stands before the routes, and what it has refused. */
export interface Door {
  readonly guard: Guard;
  /** Requests refused, by reason. */
  readonly refusals: Readonly<Record<Reason, number>>;
}

export function createDoor(proof: Proof): Door {
  const refusals = Object.fromEntries(
    [...Object.keys(REFUSALS), 'mismatch'].map((reason) => [reason, 0]),
  ) as Record<Reason, number>;

  /** A route that logs attempts logs this one too. */
  const refuse = (asked: Asked, code: ProblemCode, headers?: Record<string, string>) => {
    const answer = problem(asked, code, undefined, headers);
    return asked.route.refuse?.(asked, answer) ?? answer;
  };
  const unproven = (asked: Asked, error: unknown): Answer | Promise<Answer> => {
    if (!(error instanceof Unproven)) {
      const code = failureCode(error);
      if (code === 'internal_error') throw error;
      return refuse(asked, code);
    }
    refusals[error.refusal]++;
    return refuse(asked, 'buyer_unproven', { 'WWW-Authenticate': challengeOf(error.refusal) });
  };
  const admit = (asked: Asked, { user }: Buyer): Answer | Promise<Answer> | undefined => {
    asked.buyer = user;
    const given = asked.query.get('user_id');
    // What is malformed or given twice the route refuses.
    if (typeof given !== 'string' || given === '' || given === user) return undefined;
    refusals.mismatch++;
    return refuse(asked, 'buyer_mismatch');
  };

  return {
    refusals,
    guard(asked) {
      if (asked.route.needsBuyer !== true) return undefined;
      try {
        const buyer = proof.prove(asked.headers.authorization);
        return buyer instanceof Promise
          ? buyer.then(
              (proven) => admit(asked, proven),
              (error) => unproven(asked, error),
            )
          : admit(asked, buyer);
      } catch (error) {
        return unproven(asked, error);
      }
    },
  };
}

/** RFC 6750 (3): nothing but the scheme for a request without a token. */
const challengeOf = (refusal: Refusal): string =>
  refusal === 'missing' ? 'Bearer' : `Bearer error="invalid_token", error_description="${REFUSALS[refusal]}"`;
