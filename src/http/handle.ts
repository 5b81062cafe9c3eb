import type { Answer } from './answer.ts';
import type { Asked } from './asked.ts';
import type { Cors } from './cors.ts';
import { failureCode } from './failure.ts';
import type { Observe } from './observer.ts';
import { problem } from './problem.ts';

export interface HandleDeps {
  /** Called with every answer before it is sent. */
  readonly observe: Observe;
  readonly onError: (asked: Asked, error: unknown) => void;
  /** Absent: browsers of other origins read nothing. */
  readonly cors?: Cors | undefined;
}

/** Synchronous where the route is: a refusal must be sent before node rejects the rest of the request. */
export type Handle = (asked: Asked) => Answer | Promise<Answer>;

/** Answers every request, whichever reader parsed it. Neither throws nor rejects. */
export function createHandle({ observe, onError, cors }: HandleDeps): Handle {
  return (asked) => {
    const finish = (answer: Answer) => {
      observe(asked, answer);
      return cors === undefined ? answer : cors.dress(asked, answer);
    };
    const fail = (error: unknown) => {
      onError(asked, error);
      return finish(problem(asked, failureCode(error)));
    };
    try {
      const answer = asked.route.answer(asked);
      return answer instanceof Promise ? answer.then(finish, fail) : finish(answer);
    } catch (error) {
      return fail(error);
    }
  };
}

/** Calls `write` with the answer, now or when it resolves. */
export function whenAnswered(answer: Answer | Promise<Answer>, write: (answer: Answer) => void): void {
  if (answer instanceof Promise) void answer.then(write);
  else write(answer);
}
