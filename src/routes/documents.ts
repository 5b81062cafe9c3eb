import { createHash } from 'node:crypto';
import { openApiDocument } from '../contract/document.ts';
import { answersText, type Documented, notModified, operation } from '../contract/operation.ts';
import { docsPage, HOST } from '../contract/page/page.ts';
import { STYLE } from '../contract/page/style.ts';
import { IF_NONE_MATCH } from '../contract/parameters.ts';
import { JSON_TYPE } from '../http/answer.ts';
import { tagOf, unlessKnown } from '../http/etag.ts';
import { pageHeaders } from '../http/security-headers.ts';
import { VERSION } from '../version.ts';
import { HTML_TYPE } from './storefront.ts';

/** Caches must ask, so that a new release is seen at once. */
const CACHED = { 'Cache-Control': 'no-cache' };
const STYLE_HASH = `sha256-${createHash('sha256').update(STYLE).digest('base64')}`;

/** GET /openapi.json and /docs: the contract of all other endpoints and of these two, for programs and for people. */
export function documentEndpoints(others: readonly Documented[]): Documented[] {
  const endpoints: Documented[] = [
    {
      method: 'GET',
      path: '/openapi.json',
      operation: READ_OPENAPI,
      answer: ({ headers }) => unlessKnown(headers.ifNoneMatch, tag, JSON_TYPE, () => json, CACHED),
    },
    {
      method: 'GET',
      path: '/docs',
      operation: READ_DOCS,
      answer: ({ headers: { host = 'localhost', ifNoneMatch } }) =>
        // The Host was checked: it needs no HTML escapes.
        unlessKnown(ifNoneMatch, tagOf(tag + host), HTML_TYPE, () => page.replace(HOST, host), PAGE_HEADERS),
    },
  ];
  const document = openApiDocument(VERSION, [...others, ...endpoints]);
  const json = JSON.stringify(document);
  const page = docsPage(document);
  // One tag for both, since the page is made from the document.
  const tag = tagOf(json);
  return endpoints;
}

const PAGE_HEADERS = { ...CACHED, ...pageHeaders(STYLE_HASH) };

const READ_OPENAPI = operation({
  id: 'readOpenApi',
  tag: 'Operations',
  summary: 'The contract',
  description: 'This document, as OpenAPI 3.1.',
  parameters: [IF_NONE_MATCH],
  answers: {
    200: {
      ...answersText('The document.', JSON_TYPE, ['ETag', 'Cache-Control']),
      content: { [JSON_TYPE]: { schema: { type: 'object' } } },
    },
    304: notModified,
  },
});

const READ_DOCS = operation({
  id: 'readDocs',
  tag: 'Operations',
  summary: 'The contract as a page',
  description: 'This document as a page. It loads nothing from other hosts.',
  parameters: [IF_NONE_MATCH],
  answers: { 200: answersText('The page.', HTML_TYPE, ['ETag', 'Cache-Control']), 304: notModified },
});
