import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** A sentence by which clients can tell the releases apart. */
const SENTENCE = 'This checkout code was not found.';

/** Copies what runs into `dir`; the answer to an unknown code then names the release. */
export function makeRelease(dir: string, name: string): void {
  mkdirSync(dir);
  for (const part of ['lua', 'sql', 'package.json', 'dist/src', 'dist/assets'])
    cpSync(join(root, part), join(dir, part), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'));
  rename(dir, SENTENCE, `${SENTENCE} (${name})`);
}

/** Puts another release in the place of one that runs, file by file. */
export const renameRelease = (dir: string, from: string, to: string): void =>
  rename(dir, `(${from})`, `(${to})`);

/** Makes it a release whose keys in Redis have another layout, by its fence. */
export function changeLayout(dir: string): void {
  for (const file of ['dist/src/store/fence.js', 'lua/rebuild_begin.lua'])
    replaceIn(join(dir, file), 'v1:', 'v2:');
}

const rename = (dir: string, from: string, to: string): void =>
  replaceIn(join(dir, 'dist/src/http/problem.js'), from, to);

function replaceIn(path: string, from: string, to: string): void {
  const text = readFileSync(path, 'utf8');
  if (!text.includes(from)) throw new Error(`${path} does not say "${from}"`);
  writeFileSync(path, text.replaceAll(from, to));
}
