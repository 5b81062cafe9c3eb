import type { Answer } from './answer.ts';
import type { Asked } from './asked.ts';

/** What answers a request. */
export interface Route {
  /** Its path as Hono writes it (`/sales/:id`), or OTHER: how metrics and the log name it. */
  readonly path: string;
  /** Expected refusals are answers; `handle` makes one of what is thrown. */
  readonly answer: (asked: Asked) => Answer | Promise<Answer>;
  /** For operators, and files of pages: no limit of users or addresses counts it. */
  readonly isUnlimited?: true;
  /** A POST that only looks: no trail of what operators did has it. */
  readonly changesNothing?: true;
  /** Only a buyer who has proved himself may ask, where that is configured. */
  readonly needsBuyer?: true;
  /** `user_id` in its query is its buyer, where nobody has to prove himself. */
  readonly namesBuyer?: true;
  /** Called with the answer to a request that is refused before `answer` is asked, for a route that logs attempts. */
  readonly refuse?: (asked: Asked, answer: Answer) => Promise<Answer>;
}

/** A route that the contract has, under its method. Every GET answers HEAD as well. */
export interface Endpoint extends Route {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
}

/** The methods that the lane serves. OPTIONS: a browser asks before each checkout that carries a token. */
export type PlainMethod = 'GET' | 'POST' | 'OPTIONS';

/** The path of requests without a route: their own paths would make a new series each. */
export const OTHER = 'other';
