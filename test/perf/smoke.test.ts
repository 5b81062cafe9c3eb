import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { installedOha } from '../../perf/oha.ts';
import { temporaryDir } from '../support/stores.ts';

/** The benchmarks for a few seconds each: whether they run, and their books balance. What they measure is no matter here. Starts first. */
async function run(tool: string, ...options: string[]): Promise<string> {
  const path = fileURLToPath(new URL(`../../perf/${tool}.js`, import.meta.url));
  // An empty data directory: a service of its own, whatever else runs here.
  const env = { ...process.env, DATA_DIR: temporaryDir() };
  const child = spawn(process.execPath, [path, ...options], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => (text += part));
  const [code] = await once(child, 'close');
  assert.equal(code, 0, text);
  return text;
}

test('a realistic crowd leaves books that agree', async () => {
  const text = await run('load', 'realistic', 'light', '--seconds', '2', '--workers', '2');
  assert.match(text, /The books agree/);
});

const skip = installedOha() === undefined && 'oha is not installed; npm run perf installs it';
test('the suite measures every case, and all books agree', { skip }, async () => {
  const text = await run('suite', '--seconds', '1', '--rounds', '1', '--items', '500', '--no-write');
  assert.doesNotMatch(text, /VOID/);
  assert.match(text, / 0 of \d+ wrongly refused/);
});
