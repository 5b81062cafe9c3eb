import { type ProblemCode, problem } from './problem.ts';
import { OTHER, type Route } from './route.ts';

/** The route of a request that is refused before its own route is known, or in spite of it. */
export const refusal = (code: ProblemCode, path: string = OTHER): Route => ({
  path,
  answer: (asked) => problem(asked, code),
});
