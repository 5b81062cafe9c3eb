import { STATUS_CODES } from 'node:http';
import type { Answer } from './answer.ts';

/** The headers of an answer, except Date and Connection, which belong to the connection. */
export function headersOf(
  { status, type, body, bytes, stream, headers }: Answer,
  requestId: string,
): Record<string, string> {
  const head: Record<string, string> = {};
  // A 304 and a 204 have no body; the tag of a 304 identifies the one that the client has.
  if (status !== 304 && status !== 204) {
    head['Content-Type'] = type;
    if (stream === undefined) head['Content-Length'] = String(bytes ? bytes.length : Buffer.byteLength(body));
  }
  head['X-Request-Id'] = requestId;
  head['X-Content-Type-Options'] = 'nosniff';
  return headers ? Object.assign(head, headers) : head;
}

let date = '';
let dateAtMs = 0;

/** The head of an answer as the bytes of HTTP/1.1, but for the headers of its connection and the empty line. */
export function headText(answer: Answer, requestId: string): string {
  const nowMs = Date.now();
  if (nowMs - dateAtMs >= 1_000) {
    dateAtMs = nowMs - (nowMs % 1_000);
    date = new Date(dateAtMs).toUTCString();
  }
  const headers = headersOf(answer, requestId);
  let text = `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status]}\r\n`;
  for (const name in headers) text += `${name}: ${headers[name]}\r\n`;
  return `${text}Date: ${date}\r\n`;
}
