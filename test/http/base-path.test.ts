import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readConfig } from '../../src/config.ts';
import { requestWithoutBase, withoutBase } from '../../src/http/base-path.ts';

test('a base path is taken off where it ends a segment, once, and from nothing else', () => {
  for (const [target, is] of [
    ['/shop/', '/'],
    ['/shop/checkout?id=1', '/checkout?id=1'],
    ['/shop/shop/x', '/shop/x'],
    ['/shopping/x', '/shopping/x'],
    ['/shop', '/shop'],
    ['/x/shop/', '/x/shop/'],
    ['/checkout?next=/shop/', '/checkout?next=/shop/'],
  ] as const) {
    assert.equal(withoutBase(target, '/shop'), is);
    const rest = ' HTTP/1.1\r\nReferer: /shop/\r\n\r\n';
    assert.equal(requestWithoutBase(`POST ${target}${rest}`, '/shop'), `POST ${is}${rest}`);
  }
  assert.equal(requestWithoutBase('', '/shop'), '');
});

test('BASE_PATH is a path of plain segments, or the service does not start', () => {
  assert.equal(readConfig({ BASE_PATH: '/shop/de.new' }).basePath, '/shop/de.new');
  assert.equal(readConfig({}).basePath, undefined);
  for (const BASE_PATH of ['/', 'shop', '/shop/', '/a/../b', '/a//b', '/a b', '/%61', 'https://x/shop'])
    assert.throws(() => readConfig({ BASE_PATH }), /BASE_PATH must be a path such as \/shop/, BASE_PATH);
});
