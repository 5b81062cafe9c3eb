import { setTimeout as sleep } from 'node:timers/promises';

/** A healthy Redis answers within a millisecond; without an answer by now there are no samples. */
const DEADLINE_MS = 250;

/** What Redis answers in time, or else `otherwise`: a scrape must not wait for a Redis that is away. */
export const inTime = <T>(asking: Promise<T>, otherwise: T): Promise<T> =>
  Promise.race([asking, sleep(DEADLINE_MS, otherwise, { ref: false })]);
