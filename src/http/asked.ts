import { randomBytes } from 'node:crypto';
import { type Query, REQUEST_ID, TRACEPARENT } from './input.ts';
import type { Route } from './route.ts';

/** The headers that this service reads. */
export interface AskedHeaders {
  readonly requestId: string | undefined;
  readonly traceparent: string | undefined;
  readonly ifNoneMatch: string | undefined;
  /** Of a purchase its value does not matter. */
  readonly idempotencyKey: string | undefined;
  readonly contentType: string | undefined;
  readonly host: string | undefined;
  readonly authorization: string | undefined;
  /** X-Forwarded-For and Forwarded: more than one of a kind are joined by commas. */
  readonly forwardedFor: string | undefined;
  readonly forwarded: string | undefined;
  /** Of a browser: where its page comes from. */
  readonly origin: string | undefined;
  /** Of a preflight: Access-Control-Request-Method. */
  readonly wantsMethod: string | undefined;
  readonly accept?: string | undefined;
  readonly acceptEncoding?: string | undefined;
  /** Only of requests that Hono serves, all admin requests among them. */
  readonly lastEventId?: string | undefined;
  readonly ifMatch?: string | undefined;
}

/** The other end of a connection; a socket is one. */
export interface Peer {
  readonly remoteAddress?: string | undefined;
}

/** A request as its reader parsed it: the lane, Hono, or node:http before either. */
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
  readonly peer: Peer;
  /** The whole body as bytes; only where a route takes one. Rejects when its client leaves or is too slow. */
  readonly readBody?: () => Promise<Uint8Array>;
  /** Whether the client has disconnected; only of requests that Hono serves. */
  readonly hasLeft?: () => boolean;
}

/** A request as its route sees it, whichever reader parsed it; the only context of its handling. */
export interface Asked extends Reading {
  /** The client's X-Request-Id if it is well-formed, else a new one. */
  readonly requestId: string;
  /** The client's W3C trace context, if it is well-formed. */
  readonly traceparent: string | undefined;
  /** Arrival time, by performance.now(). */
  readonly beganMs: number;
  /** The user that a token has proved; undefined where buyers need not prove themselves. */
  buyer: string | undefined;
  /** Set by routes for the log: the sale; the items that its decision bought and lost. */
  sale: string | undefined;
  bought: number | undefined;
  lost: number | undefined;
  /** Set by routes for the metrics: how this request has settled a payment. */
  settled?: 'confirmed' | 'released';
}

export type Ask = (reading: Reading) => Asked;

/** Returns a function that makes an `Asked` of a parsed request; one per process. */
export function createAsk(): Ask {
  // A fresh request id is unique by the prefix between processes, and by the count within one.
  const prefix = randomBytes(6).toString('hex');
  let count = 0;
  return ({ route, method, path, params, query, headers, peer, readBody, hasLeft }) => {
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
      peer,
      ...(readBody && { readBody }),
      ...(hasLeft && { hasLeft }),
      requestId,
      traceparent: traceparent !== undefined && TRACEPARENT.test(traceparent) ? traceparent : undefined,
      beganMs: performance.now(),
      buyer: undefined,
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
  idempotencyKey: undefined,
  contentType: undefined,
  host: undefined,
  authorization: undefined,
  forwardedFor: undefined,
  forwarded: undefined,
  origin: undefined,
  wantsMethod: undefined,
};
/** Of a request whose connection is not known. */
export const NO_PEER: Peer = {};
