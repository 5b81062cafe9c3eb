import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { readConfig } from '../../src/config.ts';
import type { Answer } from '../../src/http/answer.ts';
import { createAsk, NO_HEADERS, NO_PEER, NO_QUERY } from '../../src/http/asked.ts';
import { createRouting } from '../../src/http/routing.ts';
import { pageEndpoints } from '../../src/routes/pages.ts';

/** What the service answers to a GET, without a server. */
async function get(
  path: string,
  headers: Record<string, string> = {},
  env: Record<string, string> = {},
): Promise<Answer> {
  const found = createRouting(pageEndpoints({ config: readConfig(env) })).find('GET', path);
  return found.route.answer(
    createAsk()({
      ...{ ...found, method: 'GET', path, query: NO_QUERY, peer: NO_PEER },
      headers: { ...NO_HEADERS, ...headers },
    }),
  );
}
const BROWSER = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8' };
const page = await get('/', BROWSER);
const assets = [...page.body.matchAll(/ (?:src|href)="(assets\/[^"]+)"/g)].map(([, path]) => `/${path}`);

test('browsers get the page, programs what they always got', async () => {
  assert.deepEqual([page.status, page.type], [200, 'text/html; charset=utf-8']);
  for (const accept of ['*/*', 'application/json', 'text/plain', '', 'text/html;q=0.1, application/json'])
    assert.deepEqual((await get('/', { accept })).code, 'not_found', accept);
  assert.equal((await get('/')).code, 'not_found');
  assert.equal((await get('/', BROWSER, { STOREFRONT: 'off' })).code, 'not_found');
  assert.equal((await get('/console', BROWSER, { STOREFRONT: 'off' })).status, 200);
  assert.equal((await get('/console', BROWSER, { NODE_ENV: 'production' })).code, 'not_found');
  assert.equal((await get('/', { ...BROWSER, ifNoneMatch: page.headers!.ETag! })).status, 304);
});

test('the page runs nothing of its own text, asks no other host, and its policy says so', () => {
  assert.equal(
    page.headers?.['Content-Security-Policy'],
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  );
  assert.doesNotMatch(page.body, / style=| on\w+=|<style|https?:|<script(?! type="module" src="assets\/)/);
  assert.match(page.body, /data-demo="on"/);
});

test('it offers the demo only where the admin API is open', async () => {
  for (const env of [{ ADMIN_TOKEN: 's3cret' }, { NODE_ENV: 'production' }])
    assert.match((await get('/', BROWSER, env)).body, /data-demo="off"/);
});

test('what it loads is there, immutable, in each form, and small', async () => {
  assert.ok(assets.length > 15);
  let size = 0;
  for (const path of assets) {
    const plain = await get(path);
    assert.equal(plain.status, 200, path);
    assert.match(plain.headers!['Cache-Control']!, /immutable/);
    assert.ok(plain.bytes && plain.bytes.length > 0);
    assert.doesNotMatch(Buffer.from(plain.bytes).toString(), /sourceMappingURL/);
    const br = await get(path, { acceptEncoding: 'gzip, deflate, br, zstd' });
    assert.equal(br.headers?.['Content-Encoding'], 'br');
    assert.deepEqual(brotliDecompressSync(br.bytes!), Buffer.from(plain.bytes));
    const gzip = await get(path, { acceptEncoding: 'gzip;q=0.5, br;q=0' });
    assert.equal(gzip.headers?.['Content-Encoding'], 'gzip');
    assert.deepEqual(gunzipSync(gzip.bytes!), Buffer.from(plain.bytes));
    assert.notEqual(gzip.headers?.ETag, br.headers?.ETag);
    const known = await get(path, { ifNoneMatch: br.headers!.ETag!, acceptEncoding: 'br' });
    assert.deepEqual([known.status, known.bytes], [304, undefined]);
    size += br.bytes!.length;
  }
  assert.ok(size < 64 << 10, `${size} bytes`);
});

test('there is nothing else: no other build, no other folder, no page', async () => {
  const [, build] = /assets\/(\w+)\//.exec(assets[0]!)!;
  for (const path of [
    '/assets/000000000000/storefront/main.js',
    `/assets/${build}/storefront/index.html`,
    `/assets/${build}/storefront/main.js.map`,
    `/assets/${build}/storefront/main.d.ts`,
    `/assets/${build}/..%2f/manifest.json`,
  ])
    assert.equal((await get(path)).code, 'not_found', path);
});
