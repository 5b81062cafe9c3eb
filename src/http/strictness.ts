import type { IncomingMessage } from 'node:http';
import type { ProblemCode } from './problem.ts';

/** Requests under this path may be large, and need the admin token. */
export const ADMIN = '/admin/';
/** An admin item list of some 20,000 items. */
const ADMIN_BODY_BYTES_MAX = 4 << 20;
const BODY_BYTES_MAX = 64 << 10;
/** Browsers and gateways send some thirty. Past 2,000 node would silently drop the rest. */
export const HEADERS_MAX = 100;

/**
 * Why a request is refused before its route is known; undefined when it is not. node has parsed it, and is more
 * lenient than a server behind a gateway should be. Refused is what a gateway and this service may read differently.
 */
export function refusalOf(req: IncomingMessage): ProblemCode | undefined {
  const { headers, rawHeaders } = req;
  if (rawHeaders.length > 2 * HEADERS_MAX) return 'headers_too_large';
  // The parser lets HTTP/0.9 and HTTP/2.0 pass as if they were 1.1.
  if (req.httpVersionMajor !== 1) return 'malformed_request';
  const hosts = countHosts(rawHeaders);
  // HTTP/1.0 has no Host: load balancers probe with it.
  const isHostless = hosts === 0 && req.httpVersionMinor === 0;
  if (!isHostless && (hosts !== 1 || !isHost(headers.host))) return 'malformed_request';
  const coding = headers['transfer-encoding'];
  if (coding !== undefined && (coding.toLowerCase() !== 'chunked' || req.httpVersionMinor === 0))
    return 'malformed_request';
  return Number(headers['content-length'] ?? 0) > bodyBytesMax(req.url ?? '') ? 'body_too_large' : undefined;
}

/** Bytes that a body may have, with a length or in chunks. */
export const bodyBytesMax = (path: string): number =>
  path.startsWith(ADMIN) ? ADMIN_BODY_BYTES_MAX : BODY_BYTES_MAX;

/** A name, an IPv4 or bracketed IPv6 address, and perhaps a port. */
const HOST = /^([\w.~-]+|\[[\da-f:.]+\])(:\d{1,5})?$/i;
/** Nearly all requests name the same one. */
let lastGood = '';

/** Whether a Host header names one host. */
export function isHost(host: string | undefined): boolean {
  if (host === lastGood && host !== '') return true;
  if (host === undefined || !HOST.test(host)) return false;
  lastGood = host;
  return true;
}

// node keeps the first Host only; a gateway may have routed by the last.
function countHosts(rawHeaders: readonly string[]): number {
  let count = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (name.length === 4 && name.toLowerCase() === 'host') count++;
  }
  return count;
}

/** Segments `.` and `..`, which a URL would resolve: they would bypass a gateway that guards a path by its text. */
const DOT_SEGMENT = /(^|\/)(\.|%2e){1,2}(\/|$)/i;

export const hasDotSegment = (path: string): boolean => DOT_SEGMENT.test(path);
