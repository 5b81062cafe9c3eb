import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = new URL('../../../', import.meta.url);

test('docs/goods.svg is what its script makes, and small', () => {
  const script = fileURLToPath(new URL('scripts/goods.mjs', root));
  const { status, stdout, stderr } = spawnSync(process.execPath, [script], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  assert.ok(
    stdout === readFileSync(new URL('docs/goods.svg', root), 'utf8'),
    'node scripts/goods.mjs makes another one',
  );
  assert.ok(stdout.length < 50_000, `${stdout.length} bytes`);
});

test('its pictures share no ids', () => {
  const svg = readFileSync(new URL('docs/goods.svg', root), 'utf8');
  const ids = [...svg.matchAll(/\bid="([^"]+)"/g)].map((match) => match[1]);
  assert.equal(new Set(ids).size, ids.length);
  const used = [...svg.matchAll(/(?:url\(|href=")#([^")]+)/g)].map((match) => match[1]);
  assert.ok(used.length > 12);
  assert.deepEqual(
    used.filter((id) => !ids.includes(id)),
    [],
  );
});
