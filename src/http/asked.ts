import { randomBytes } from 'node:crypto';
import { type Query, REQUEST_ID, TRACEPARENT } from './input.ts';
import type { Route } from './route.ts';

/** The headers that say something to this service. */
export interface AskedHeaders {
  readonly requestId: string | undefined;
  readonly traceparent: string | undefined;
  readonly ifNoneMatch: string | undefined;
  /** Whether there is an Idempotency-Key; its value says nothing. */
  readonly hasIdempotencyKey: boolean;
  readonly contentType: string | undefined;
  readonly host: string | undefined;
}

/** What a reader has found in a request: the lane on a socket, Hono, or node:http before either. */
export interface Reading {
  readonly route: Route;
  /** As it was sent. */
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** The values of the route's parameters, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly headers: AskedHeaders;
  /** The whole body as text; only where a route takes one. Rejects when its client leaves or is too slow. */
  readonly readBody?: () => Promise<string>;
}

/** A request as its route sees it, whichever way it came: the one context of all that happens to it. */
export interface Asked extends Reading {
  /** The caller's X-Request-Id if it is well-formed, else ours. */
  readonly requestId: string;
  /** The caller's W3C trace context, if it is well-formed. */
  readonly traceparent: string | undefined;
  /** When it began, by performance.now(). */
  readonly beganMs: number;
  /** Noted by routes for the log: the sale it is about; items bought and lost by the decision it has made. */
  sale: string | undefined;
  bought: number | undefined;
  lost: number | undefined;
}

export type Ask = (reading: Reading) => Asked;

/** Makes what is asked of what was read, for the requests of one process. */
export function createAsk(): Ask {
  // A fresh request id is unique by the prefix between processes, and by the count within one.
  const prefix = randomBytes(6).toString('hex');
  let count = 0;
  return ({ route, method, path, params, query, headers, readBody }) => {
    const { requestId: given, traceparent } = headers;
    const requestId =
      given !== undefined && REQUEST_ID.test(given) ? given : `${prefix}-${(++count).toString(36)}`;
    return {
      route,
      method,
      path,
      params,
      query,
      headers,
      ...(readBody && { readBody }),
      requestId,
      traceparent: traceparent !== undefined && TRACEPARENT.test(traceparent) ? traceparent : undefined,
      beganMs: performance.now(),
      sale: undefined,
      bought: undefined,
      lost: undefined,
    };
  };
}

export const NO_PARAMS: Reading['params'] = {};
export const NO_QUERY: Query = new Map();
export const NO_HEADERS: AskedHeaders = {
  requestId: undefined,
  traceparent: undefined,
  ifNoneMatch: undefined,
  hasIdempotencyKey: false,
  contentType: undefined,
  host: undefined,
};
