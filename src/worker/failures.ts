import type { Asked } from '../http/asked.ts';
import { logFields } from '../http/request-log.ts';
import type { Log } from '../log.ts';
import { maskCodes } from '../mask.ts';
import { Fenced, Overloaded, Unanswered, Unavailable } from '../store/errors.ts';
import type { FencedCount } from './fenced.ts';

/** Logs the error of a request, but not a store that is away or a full queue: every request would repeat it. */
export function createOnFailure(log: Log, fenced: FencedCount) {
  return (asked: Asked, err: unknown): void => {
    if (err instanceof Fenced) fenced.heard(err);
    const expected = err instanceof Unavailable || err instanceof Overloaded || err instanceof Unanswered;
    const fields = { ...logFields(asked), path: maskCodes(asked.path), err };
    log[expected ? 'debug' : 'error'](fields, 'request failed');
  };
}
