import type { Answer } from './answer.ts';
import type { Asked } from './asked.ts';
import { failureCode } from './failure.ts';
import type { Observe } from './observer.ts';
import { problem } from './problem.ts';

export interface HandleDeps {
  /** Hears of every answer, before it leaves. */
  readonly observe: Observe;
  readonly onError: (asked: Asked, error: unknown) => void;
}

/** Answers at once where the route does: a refusal must be on its way before node finds fault with the rest of the request. */
export type Handle = (asked: Asked) => Answer | Promise<Answer>;

/** The one door: every request is answered here, whichever way it came. Neither throws nor rejects. */
export function createHandle({ observe, onError }: HandleDeps): Handle {
  return (asked) => {
    const finish = (answer: Answer) => {
      observe(asked, answer);
      return answer;
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

/** Hands an answer on as soon as it is there. */
export function whenAnswered(answer: Answer | Promise<Answer>, write: (answer: Answer) => void): void {
  if (answer instanceof Promise) void answer.then(write);
  else write(answer);
}
