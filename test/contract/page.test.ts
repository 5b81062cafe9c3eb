import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { html, inline } from '../../src/contract/page/html.ts';
import type { Answer } from '../../src/http/answer.ts';
import { createAsk, NO_HEADERS, NO_PEER, NO_QUERY } from '../../src/http/asked.ts';
import { PROBLEMS } from '../../src/http/problem.ts';
import { createRouting } from '../../src/http/routing.ts';
import { contract, document, endpoints } from '../support/contract.ts';

/** What the service answers to a GET, without a server. */
async function get(path: string): Promise<Answer> {
  const found = createRouting(endpoints).find('GET', path);
  const headers = { ...NO_HEADERS, host: 'shop.example:8443' };
  return found.route.answer(
    createAsk()({ ...found, method: 'GET', path, query: NO_QUERY, headers, peer: NO_PEER }),
  );
}

const { body: page, headers = {} } = await get('/docs');
const matchesOf = (pattern: RegExp) => [...page.matchAll(pattern)].map(([, found]) => found as string);
const ids = matchesOf(/ id="([^"]+)"/g);

test('the page asks for nothing but itself, and runs nothing', () => {
  const targets = matchesOf(/ (?:href|src|srcset|action|data|poster)="([^"]*)"/g);
  assert.ok(targets.length > 100);
  const others = targets.filter((target) => !/^(#|openapi\.json$|data:image\/svg\+xml,)/.test(target));
  assert.deepEqual(others, []);
  assert.doesNotMatch(page, /<script|<iframe|<form|@import|url\(| style=| on\w+=/);
});

test('its policy allows its own style by hash, and nothing beside inline pictures', () => {
  const [style = ''] = matchesOf(/<style>([^<]*)<\/style>/g);
  const hash = createHash('sha256').update(style).digest('base64');
  assert.equal(
    headers['Content-Security-Policy'],
    `default-src 'none'; style-src 'sha256-${hash}'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  );
  assert.equal(headers['X-Frame-Options'], 'DENY');
  assert.equal(headers['Referrer-Policy'], 'no-referrer');
  assert.equal(headers['Cross-Origin-Resource-Policy'], 'same-origin');
});

test('its examples go to the host that it was asked from', () => {
  assert.match(page, />B=http:\/\/shop\.example:8443</);
});

test('a picture may be embedded anywhere, and can do nothing where it is opened', async () => {
  const { headers = {} } = await get('/items/lamp-1/image.svg');
  assert.match(headers['Content-Security-Policy'] ?? '', /^default-src 'none';.*frame-ancestors 'none'$/);
  assert.equal(headers['Cross-Origin-Resource-Policy'], 'cross-origin');
  assert.equal(headers['Referrer-Policy'], 'no-referrer');
});

test('it has a place for every operation, error, header and schema, and every link in it leads to one', () => {
  assert.equal(new Set(ids).size, ids.length, 'each id once');
  const expected = [
    ...contract.operations.map(({ operation }) => operation.operationId),
    ...Object.keys(PROBLEMS).map((code) => `error-${code}`),
    ...Object.keys(document.components.headers).map((name) => `header-${name}`),
  ];
  assert.deepEqual(
    expected.filter((id) => !ids.includes(id)),
    [],
  );
  const links = matchesOf(/ href="#([^"]+)"/g);
  assert.deepEqual(
    links.filter((id) => !ids.includes(id)),
    [],
  );
});

test('what is put into a page is text, whatever it holds', () => {
  assert.equal(
    html`<p title="${'"<'}">${["<b>'&"]}${undefined}${false}${0}</p>`.html,
    '<p title="&quot;&lt;">&lt;b&gt;&#39;&amp;0</p>',
  );
  assert.equal(html`${inline('`<a>` **<b>**')}`.html, '<code>&lt;a&gt;</code> <strong>&lt;b&gt;</strong>');
});
