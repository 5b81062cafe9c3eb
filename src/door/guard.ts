import type { Answer } from '../http/answer.ts';
import type { Asked } from '../http/asked.ts';
import { failureCode } from '../http/failure.ts';
import type { Guard } from '../http/handle.ts';
import { USER_ID } from '../http/input.ts';
import { problem } from '../http/problem.ts';
import type { Limits } from './limits.ts';
import type { Proof } from './proof.ts';
import { type Buyer, REFUSALS, type Refusal, Unproven } from './verify.ts';

export type Reason = Refusal | 'mismatch' | 'address_rate' | 'user_rate';
const REASONS = [...Object.keys(REFUSALS), 'mismatch', 'address_rate', 'user_rate'] as Reason[];

/** What stands before the routes, and what it has refused. */
export interface Door {
  readonly guard: Guard;
  /** Requests refused, by reason. */
  readonly refusals: Readonly<Record<Reason, number>>;
}

/**
 * Asks of every request, in this order: does its address ask too often; who is its buyer; does that one ask too often? What is
 * cheap comes first.
 */
export function createDoor(proof: Proof | undefined, limits: Limits | undefined): Door {
  const refusals = Object.fromEntries(REASONS.map((reason) => [reason, 0])) as Record<Reason, number>;
  const refuse = (asked: Asked, reason: Reason, answer: Answer) => {
    refusals[reason]++;
    return refuseBy(asked, answer);
  };
  const unproven = (asked: Asked, error: unknown): Answer | Promise<Answer> => {
    if (error instanceof Unproven) {
      const headers = { 'WWW-Authenticate': challengeOf(error.refusal) };
      return refuse(asked, error.refusal, problem(asked, 'buyer_unproven', undefined, headers));
    }
    const code = failureCode(error);
    if (code === 'internal_error') throw error;
    return refuseBy(asked, problem(asked, code));
  };
  /** Without proof the user is whom the query names; what can be no user the route refuses. */
  const limitUser = (asked: Asked) => {
    const user = asked.buyer ?? asked.query.get('user_id');
    const isUser = typeof user === 'string' && USER_ID.test(user);
    const answer = isUser ? limits?.ofUser(asked, user) : undefined;
    return answer && refuse(asked, 'user_rate', answer);
  };
  const admit = (asked: Asked, { user }: Buyer) => {
    asked.buyer = user;
    const given = asked.query.get('user_id');
    // What is malformed or given twice the route refuses.
    if (typeof given === 'string' && given !== '' && given !== user)
      return refuse(asked, 'mismatch', problem(asked, 'buyer_mismatch'));
    return limitUser(asked);
  };
  const proveBy = (known: Proof, asked: Asked) => {
    try {
      const buyer = known.prove(asked.headers.authorization);
      if (!(buyer instanceof Promise)) return admit(asked, buyer);
      return buyer.then(
        (proven) => admit(asked, proven),
        (error) => unproven(asked, error),
      );
    } catch (error) {
      return unproven(asked, error);
    }
  };

  return {
    refusals,
    guard(asked) {
      const { route } = asked;
      if (route.isUnlimited) return undefined;
      const limited = limits?.ofAddress(asked);
      if (limited) return refuse(asked, 'address_rate', limited);
      if (!route.needsBuyer) return undefined;
      if (proof !== undefined) return proveBy(proof, asked);
      return route.namesBuyer ? limitUser(asked) : undefined;
    },
  };
}

/** A route that logs attempts logs this one too. */
const refuseBy = (asked: Asked, answer: Answer): Answer | Promise<Answer> =>
  asked.route.refuse?.(asked, answer) ?? answer;

/** RFC 6750 (3): nothing but the scheme for a request without a token. */
const challengeOf = (refusal: Refusal): string =>
  refusal === 'missing' ? 'Bearer' : `Bearer error="invalid_token", error_description="${REFUSALS[refusal]}"`;
