import type { Answer } from './answer.ts';
import type { Asked } from './asked.ts';

/** Called when the answer of a request is handed to the socket, with the milliseconds that it took. */
export type OnAnswered = (asked: Asked, answer: Answer, ms: number) => void;

/** Makes the listener of one route, by its path, so that work per route is done once. */
export type Observer = (path: string) => OnAnswered;

export type Observe = (asked: Asked, answer: Answer) => void;

/** Calls the observers (metrics, log) with every answer. Keeps listeners by route path, of which there are few. */
export function createObserve(observers: readonly Observer[]): Observe {
  const byPath = new Map<string, readonly OnAnswered[]>();
  const listenersOf = (path: string) => {
    const listeners = observers.map((observer) => observer(path));
    byPath.set(path, listeners);
    return listeners;
  };
  return (asked, answer) => {
    const ms = performance.now() - asked.beganMs - (answer.waitedMs ?? 0);
    const { path } = asked.route;
    for (const listener of byPath.get(path) ?? listenersOf(path)) listener(asked, answer, ms);
  };
}
