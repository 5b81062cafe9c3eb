import { randomBytes } from 'node:crypto';
import type { RequestContext } from '../routes/answer.ts';
import { REQUEST_ID, TRACEPARENT } from '../routes/input.ts';

/** Makes the contexts of one process' requests from what their headers say. */
export type ContextOf = (path: string, requestId?: string, traceparent?: string) => RequestContext;

export function createContexts(): ContextOf {
  // A fresh request id is unique by the prefix between processes, and by the count within one.
  const prefix = randomBytes(6).toString('hex');
  let count = 0;
  return (path, given, traceparent) => {
    const requestId =
      given !== undefined && REQUEST_ID.test(given) ? given : `${prefix}-${(++count).toString(36)}`;
    return traceparent !== undefined && TRACEPARENT.test(traceparent)
      ? { requestId, path, traceparent }
      : { requestId, path };
  };
}

/** A path fit for a log line, which never holds a whole checkout code. */
export const maskCodes = (path: string): string => path.replace(/(CHK-S-[0-9a-f]{10}-)[^/]*/g, '$1…');

/** How a log line names its request. */
export const logFields = ({ requestId, traceparent }: RequestContext) =>
  traceparent ? { request_id: requestId, traceparent } : { request_id: requestId };
