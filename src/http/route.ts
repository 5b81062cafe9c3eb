import type { Answer } from './answer.ts';
import type { Asked } from './asked.ts';

/** What answers a request. */
export interface Route {
  /** Its path as Hono writes it (`/sales/:id`), or OTHER: how metrics and the log name it. */
  readonly path: string;
  /** Expected refusals are answers; what is thrown becomes one in `handle`. */
  readonly answer: (asked: Asked) => Answer | Promise<Answer>;
}

/** A route that the contract has, under its method. Every GET answers HEAD as well. */
export interface Endpoint extends Route {
  readonly method: 'GET' | 'POST';
}

/** The path of requests that have no route: a new name for each would be a new series for each. */
export const OTHER = 'other';
