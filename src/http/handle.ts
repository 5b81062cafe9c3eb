import type { Answer } from './answer.ts';
import type { Asked } from './asked.ts';
import type { Cors } from './cors.ts';
import { failureCode } from './failure.ts';
import type { Observe } from './observer.ts';
import { problem } from './problem.ts';

/** Looks at a request before its route does: an answer refuses it. */
export type Guard = (asked: Asked) => Answer | Promise<Answer | undefined> | undefined;

export interface HandleDeps {
  /** Called with every answer before it is sent. */
  readonly observe: Observe;
  readonly onError: (asked: Asked, error: unknown) => void;
  /** Absent: browsers of other origins read nothing. */
  readonly cors?: Cors | undefined;
  /** Absent: everybody may ask everything. */
  readonly guard?: Guard | undefined;
}

/** Synchronous where the route is: a refusal must be sent before node rejects the rest of the request. */
export type Handle = (asked: Asked) => Answer | Promise<Answer>;

/** Answers every request, whichever reader parsed it. Neither throws nor rejects. */
export function createHandle({ observe, onError, cors, guard }: HandleDeps): Handle {
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
      const answer = guard === undefined ? asked.route.answer(asked) : pass(guard, asked);
      return answer instanceof Promise ? answer.then(finish, fail) : finish(answer);
    } catch (error) {
      return fail(error);
    }
  };
}

/** Has the route answer what the guard lets pass; synchronous where both are. */
function pass(guard: Guard, asked: Asked): Answer | Promise<Answer> {
  const refused = guard(asked);
  if (refused === undefined) return asked.route.answer(asked);
  return refused instanceof Promise ? refused.then((answer) => answer ?? asked.route.answer(asked)) : refused;
}

/** Calls `write` with the answer, now or when it resolves. */
export function whenAnswered(answer: Answer | Promise<Answer>, write: (answer: Answer) => void): void {
  if (answer instanceof Promise) void answer.then(write);
  else write(answer);
}
