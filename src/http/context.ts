import { randomBytes } from 'node:crypto';
import type { RequestContext } from './answer.ts';
import { REQUEST_ID, TRACEPARENT } from './input.ts';

/** Makes the contexts of one process' requests from what their headers say. */
export type ContextOf = (path: string, requestId?: string, traceparent?: string) => RequestContext;

export function createContexts(): ContextOf {
  // A fresh request id is unique by the prefix between processes, and by the count within one.
  const prefix = randomBytes(6).toString('hex');
  let count = 0;
  return (path, given, traceparent) => {
    const requestId =
      given !== undefined && REQUEST_ID.test(given) ? given : `${prefix}-${(++count).toString(36)}`;
    return {
      requestId,
      path,
      traceparent: traceparent !== undefined && TRACEPARENT.test(traceparent) ? traceparent : undefined,
      beganMs: performance.now(),
      sale: undefined,
      bought: undefined,
      lost: undefined,
    };
  };
}

/** As much of a checkout code as may be logged: `CHK-`, the sale, and a hyphen. */
const CODE_SHOWN = 17;

/** A path or id fit for a log line, which never holds a whole checkout code, however it is written. */
export function maskCodes(text: string): string {
  if (!/CHK|%/.test(text)) return text;
  return decoded(text).replace(/CHK.*/s, (code) => `${code.slice(0, CODE_SHOWN)}…`);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text.replaceAll('%', '…');
  }
}

/** How a log line names its request. */
export const logFields = ({ requestId, traceparent }: RequestContext) =>
  traceparent
    ? { request_id: maskCodes(requestId), trace_id: traceparent.slice(3, 35) }
    : { request_id: maskCodes(requestId) };
