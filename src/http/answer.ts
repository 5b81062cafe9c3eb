/** An answer to a request, before it becomes a Response or goes straight to a socket. */
export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  /** A body that is no text, instead of `body`. */
  readonly bytes?: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  /** A body in parts, instead of `body`; only where Hono serves: admin requests, paths that end in `/live`, and clients that accept a stream. */
  readonly stream?: BodyStream;
  /** Milliseconds that the client asked to wait; no part of the request's time in metrics and log. */
  readonly waitedMs?: number;
  /** Of a problem: its code, for metrics and the log. */
  readonly code?: string;
}

/** A body whose parts are made as fast as the client takes them. */
export interface BodyStream {
  /** Called once; never for HEAD. A part that throws breaks the connection, so that nobody takes the body for whole. */
  readonly parts: () => AsyncIterable<string>;
  /** Called once, when the last part is sent, the client has left, or there is nothing to send. */
  readonly onEnd: () => void;
}

export const JSON_TYPE = 'application/json';
export const SSE_TYPE = 'text/event-stream';

/** A JSON answer. */
export function json(status: number, value: unknown, headers?: Record<string, string>): Answer {
  return { status, type: JSON_TYPE, body: JSON.stringify(value), ...(headers && { headers }) };
}
