import { createHash } from 'node:crypto';
import type { Answer } from './answer.ts';

/** The tag of a body: a strong one, since equal tags mean equal bytes. */
export const tagOf = (body: string): string => `"${createHash('sha1').update(body).digest('base64url')}"`;

/** 200 with the tag, or 304 to a client that knows the tag; for a 304 the body is not made. */
export function unlessKnown(
  knownTags: string | undefined,
  tag: string,
  type: string,
  body: () => string,
  more: Readonly<Record<string, string>>,
): Answer {
  const headers = { ETag: tag, ...more };
  if (matches(knownTags, tag)) return { status: 304, type: '', body: '', headers };
  return { status: 200, type, body: body(), headers };
}

/** If-None-Match against our tag: a list, `*`, and weak tags compare as RFC 9110 (13.1.2) says. */
function matches(knownTags: string | undefined, tag: string): boolean {
  if (knownTags === undefined) return false;
  return knownTags
    .split(',')
    .some((known) => known.trim() === '*' || known.trim().replace(/^W\//, '') === tag);
}
