import { namesEvents } from './accept.ts';
import type { AskedHeaders } from './asked.ts';
import type { PlainMethod } from './route.ts';
import { ADMIN, HEADERS_MAX, hasDotSegment, isHost } from './strictness.ts';

/**
 * Reads the kind of request that nearly all traffic is made of: POST /checkout, /purchase and /queue, any GET that needs no admin
 * token, or a preflight, on HTTP/1.1, without a body, of plain characters. It refuses nothing: node's parser reads or refuses everything else.
 */

/** A request line. */
export interface PlainLine {
  readonly method: PlainMethod;
  readonly path: string;
  /** Without its question mark; '' when there is none. */
  readonly query: string;
  /** Where the headers begin. */
  readonly length: number;
}

/** The headers of a plain request that this service reads. */
export interface PlainHeaders extends AskedHeaders {
  /** The client asks to close the connection after the answer. */
  readonly closes: boolean;
}

/** Paths that end so are answered by a stream. */
const LIVE = '/live';
const GET = 'GET ';
const OPTIONS = 'OPTIONS ';
const START = {
  '/checkout': 'POST /checkout?',
  '/purchase': 'POST /purchase?',
  '/queue': 'POST /queue?',
} as const;
const VERSION = ' HTTP/1.1\r\n';
/** Printable ASCII but space, `"` and `#`, percent-encoded or not: `parseQuery` decodes it for every reader. */
const PLAIN_QUERY = /^[!$-~]+$/;
/** No percent-encoding, nothing to decode. */
const PLAIN_TARGET = /^(\/[A-Za-z0-9._:/-]*)(?:\?([A-Za-z0-9._:=&-]*))?$/;
/** https://www.rfc-editor.org/rfc/rfc9110#section-5.1 (tokens), values of printable ASCII without a line fold. */
const HEADER = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t -~]*)$/;
const END = '\r\n\r\n';

/** The request line of a plain request; undefined for any other. */
export function readPlainLine(text: string): PlainLine | undefined {
  if (text.startsWith(GET)) return readPath(text, 'GET', GET.length);
  const path = text.startsWith(START['/checkout'])
    ? '/checkout'
    : text.startsWith(START['/purchase'])
      ? '/purchase'
      : text.startsWith(START['/queue'])
        ? '/queue'
        : undefined;
  if (path === undefined)
    return text.startsWith(OPTIONS) ? readPath(text, 'OPTIONS', OPTIONS.length) : undefined;
  const from = START[path].length;
  const to = text.indexOf(' ', from);
  if (to < 0 || !text.startsWith(VERSION, to)) return undefined;
  const query = text.slice(from, to);
  return PLAIN_QUERY.test(query) ? { method: 'POST', path, query, length: to + VERSION.length } : undefined;
}

function readPath(text: string, method: PlainMethod, from: number): PlainLine | undefined {
  const to = text.indexOf(' ', from);
  if (to < 0 || !text.startsWith(VERSION, to)) return undefined;
  const [, path, query = ''] = PLAIN_TARGET.exec(text.slice(from, to)) ?? [];
  // A guard of the Hono app checks the token; and only node:http streams.
  if (path === undefined || path.startsWith(ADMIN) || path.endsWith(LIVE) || hasDotSegment(path))
    return undefined;
  return { method, path, query, length: to + VERSION.length };
}

/**
 * The headers of a plain request, from behind the request line to the very end of the text; undefined when they are
 * incomplete, when something follows them, or when one of them asks for more than a plain answer.
 */
export function readPlainHeaders(text: string): PlainHeaders | undefined {
  if (text.indexOf(END) !== text.length - END.length) return undefined;
  const seen = new Map<string, string>();
  const lines = text.slice(0, -END.length).split('\r\n');
  if (lines.length > HEADERS_MAX) return undefined;
  for (const line of lines) {
    const header = HEADER.exec(line);
    if (header === null) return undefined;
    const name = (header[1] as string).toLowerCase();
    const isList = LISTS.has(name);
    if (!isList && !SINGLE.has(name)) continue;
    const before = seen.get(name);
    if (before !== undefined && !isList) return undefined;
    const value = (header[2] as string).trimEnd();
    seen.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  const connection = seen.get('connection')?.toLowerCase() ?? 'keep-alive';
  const isPlain =
    isHost(seen.get('host')) &&
    (seen.get('content-length') ?? '0') === '0' &&
    (connection === 'keep-alive' || connection === 'close') &&
    !namesEvents(seen.get('accept')) &&
    !FORBIDDEN.some((name) => seen.has(name));
  if (!isPlain) return undefined;
  return {
    requestId: seen.get('x-request-id'),
    traceparent: seen.get('traceparent'),
    ifNoneMatch: seen.get('if-none-match'),
    idempotencyKey: seen.get('idempotency-key'),
    contentType: undefined,
    host: seen.get('host'),
    authorization: seen.get('authorization'),
    forwardedFor: seen.get('x-forwarded-for'),
    forwarded: seen.get('forwarded'),
    origin: seen.get('origin'),
    accept: seen.get('accept'),
    acceptEncoding: seen.get('accept-encoding'),
    wantsMethod: seen.get('access-control-request-method'),
    closes: connection === 'close',
  };
}

/** Headers that announce a body, or another protocol. */
const FORBIDDEN = ['transfer-encoding', 'expect', 'upgrade', 'trailer', 'http2-settings'];
/** Headers that matter here and may be given more than once: HAProxy adds one of its own behind that of a proxy before it. */
const LISTS = new Set(['x-forwarded-for', 'forwarded', 'accept', 'accept-encoding']);
/** Headers that matter here; each may be given once. */
const SINGLE = new Set([
  ...['host', 'content-length', 'connection', 'x-request-id', 'traceparent', 'idempotency-key'],
  ...['authorization', 'if-none-match', 'origin', 'access-control-request-method'],
  ...FORBIDDEN,
]);
