import { createHash } from 'node:crypto';
import { openApiDocument } from '../contract/document.ts';
import { HTML_TYPE } from '../contract/operations.ts';
import { docsPage } from '../contract/page/page.ts';
import { STYLE } from '../contract/page/style.ts';
import type { Answer } from '../http/answer.ts';
import { JSON_TYPE } from '../http/answer.ts';
import { pageHeaders } from '../http/security-headers.ts';
import { matches } from './sales.ts';

/** Answers a text that stays the same as long as the process runs; asked for again, it costs one comparison. */
function prepared(type: string, body: string, more: Readonly<Record<string, string>> = {}) {
  const tag = `"${createHash('sha1').update(body).digest('base64url')}"`;
  // A new release is seen at once.
  const headers = { ETag: tag, 'Cache-Control': 'no-cache', ...more };
  const unchanged: Answer = { status: 304, type: '', body: '', headers };
  const whole: Answer = { status: 200, type, body, headers };
  return (knownTag: string | undefined): Answer => (matches(knownTag, tag) ? unchanged : whole);
}

/** GET /openapi.json and /docs: the contract, for programs and for people. */
export function documents(version: string) {
  const document = openApiDocument(version);
  const styleHash = `sha256-${createHash('sha256').update(STYLE).digest('base64')}`;
  return {
    openapi: prepared(JSON_TYPE, JSON.stringify(document)),
    docs: prepared(HTML_TYPE, docsPage(document), pageHeaders(styleHash)),
  };
}
