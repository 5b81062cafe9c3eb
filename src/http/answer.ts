/** An answer to a request, before it becomes a Response or goes straight to a socket. */
export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Of a problem: its code, for metrics and the log. */
  readonly code?: string;
}

export const JSON_TYPE = 'application/json';

/** A JSON answer. */
export function json(status: number, value: unknown, headers?: Record<string, string>): Answer {
  return { status, type: JSON_TYPE, body: JSON.stringify(value), ...(headers && { headers }) };
}

/** What every handler knows of its request. */
export interface RequestContext {
  /** The caller's X-Request-Id if it is well-formed, else ours. */
  readonly requestId: string;
  /** The path without the query, for the problem's `instance`. */
  readonly path: string;
  /** The caller's W3C trace context, if it is well-formed. */
  readonly traceparent: string | undefined;
  /** When it began, by performance.now(). */
  readonly beganMs: number;
  /** Noted by handlers for the log: the sale it is about; items bought and lost by the decision it has made. */
  sale: string | undefined;
  bought: number | undefined;
  lost: number | undefined;
}
