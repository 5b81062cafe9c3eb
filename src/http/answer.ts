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
