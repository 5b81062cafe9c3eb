import type { Answer } from './answer.ts';
import type { Asked } from './asked.ts';

/** Hears of a request when its answer is handed over, with the milliseconds that it took. */
export type OnAnswered = (asked: Asked, answer: Answer, ms: number) => void;

/** Makes the listener of one route, by its path: what depends on the route alone is done once. */
export type Observer = (path: string) => OnAnswered;

export type Observe = (asked: Asked, answer: Answer) => void;

/** Tells every answer to whoever measures or logs it. Paths are those of routes: there are few. */
export function createObserve(observers: readonly Observer[]): Observe {
  const byPath = new Map<string, readonly OnAnswered[]>();
  const listenersOf = (path: string) => {
    const listeners = observers.map((observer) => observer(path));
    byPath.set(path, listeners);
    return listeners;
  };
  return (asked, answer) => {
    const ms = performance.now() - asked.beganMs;
    const { path } = asked.route;
    for (const listener of byPath.get(path) ?? listenersOf(path)) listener(asked, answer, ms);
  };
}
