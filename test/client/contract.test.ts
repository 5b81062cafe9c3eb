import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { typesOf } from '../../src/contract/typescript.ts';
import { document } from '../support/contract.ts';

const written = readFileSync(new URL('../../../client/contract.ts', import.meta.url), 'utf8');

test('the types of the client are those of the contract', () => {
  assert.equal(written, typesOf(document), 'run "node scripts/client-types.mjs"');
});

test('they have what a buyer reads, and nothing of the admin API', () => {
  for (const name of ['Sale', 'Item', 'Cart', 'CartView', 'Receipt', 'ReceiptLine', 'Problem'])
    assert.match(written, new RegExp(`^export interface ${name} \\{$`, 'm'));
  assert.doesNotMatch(written, /AdminSale|DeadWebhook/);
});

test('the client imports nothing but itself', () => {
  const folder = new URL('../../../client/', import.meta.url);
  const imports = readdirSync(folder)
    .filter((path) => path.endsWith('.ts'))
    .flatMap((path) => [...readFileSync(new URL(path, folder), 'utf8').matchAll(/\bfrom '([^']+)'/g)])
    .map(([, from = '']) => from);
  assert.ok(imports.length > 10);
  assert.deepEqual(
    imports.filter((from) => !/^\.\/[\w-]+\.ts$/.test(from)),
    [],
  );
});
