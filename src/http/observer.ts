import type { Answer, RequestContext } from './answer.ts';

/** Hears of one route's requests when their answers are handed over; `method` as it was sent. */
export type OnAnswered = (method: string, context: RequestContext, answer: Answer, ms: number) => void;

/** Makes the listener of one route: what depends on the route alone is done once. */
export type Observe = (handler: string) => OnAnswered;

/** Tells an answer that is about to leave to whoever measures or logs it. */
export interface Observer {
  route(handler: string): (method: string | undefined, context: RequestContext, answer: Answer) => void;
}

/** The route of requests whose path is none, or was never known. */
export const OTHER = 'other';

/** The one place that every answer passes. */
export function createObserver(observers: readonly Observe[]): Observer {
  return {
    route(handler) {
      const listeners = observers.map((observe) => observe(handler));
      return (method, context, answer) => {
        const ms = performance.now() - context.beganMs;
        for (const listener of listeners) listener(method ?? OTHER, context, answer, ms);
      };
    },
  };
}
