// Gathers what browsers load into dist/assets: modules, styles and pictures with their compressed forms, and the pages, which
// name them by a hash of all of it. src/http/assets.ts serves them.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, extname, join, posix } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { at } from './place.mjs';

/** Each has a folder of sources, and one of modules in dist. */
const ROOMS = ['client', 'storefront', 'console'];
const TYPES = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
};

if (import.meta.filename === process.argv[1]) makeAssets();

export function makeAssets() {
  const rooms = ROOMS.filter((room) => existsSync(at(room)));
  const files = new Map(rooms.flatMap((room) => [...filesOf(room)]));
  const pages = rooms.filter((room) => existsSync(at(room, 'index.html')));
  if (pages.length === 0) return;
  const whole = createHash('sha256');
  for (const [name, { bytes }] of files) whole.update(`${name} ${bytes.length}\n`).update(bytes);
  const build = whole.digest('hex').slice(0, 12);
  const written = new Set(['manifest.json']);
  const write = (name, bytes) => {
    mkdirSync(dirname(at('dist', 'assets', name)), { recursive: true });
    writeFileSync(at('dist', 'assets', name), bytes);
    written.add(name);
  };
  for (const [name, { bytes }] of files) {
    write(name, bytes);
    write(`${name}.br`, brotliCompressSync(bytes));
    write(`${name}.gz`, gzipSync(bytes, { level: 9 }));
  }
  for (const room of pages) write(`${room}/index.html`, pageOf(room, build, files));
  const facts = [...files].map(([name, { type, tag }]) => [name, { type, tag }]);
  writeFileSync(
    at('dist', 'assets', 'manifest.json'),
    JSON.stringify({ build, files: Object.fromEntries(facts) }),
  );
  removeOthers(written);
}

function* filesOf(room) {
  for (const folder of [at('dist', room), at(room)]) {
    for (const file of readdirSync(folder).sort()) {
      // The map of a module is not served: no browser shall ask for it.
      const text = readFileSync(join(folder, file), 'utf8').replace(/^\/\/# sourceMappingURL=.*\n?/m, '');
      if (extname(file) in TYPES && file !== 'tsconfig.json') yield assetOf(room, file, text);
    }
  }
  if (room === 'console') yield assetOf(room, 'runbook.json', JSON.stringify(runbook()));
}

function assetOf(room, file, text) {
  const bytes = Buffer.from(text);
  const tag = createHash('sha256').update(bytes).digest('base64url').slice(0, 16);
  return [`${room}/${file}`, { type: TYPES[extname(file)], tag, bytes }];
}

/** The first paragraph of each heading of the runbook, which the console shows beside what is wrong. */
function runbook() {
  const [, ...parts] = readFileSync(at('docs', 'runbook.md'), 'utf8').split(/^## /m);
  const plain = (text) => text.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/[`*]/g, '');
  return Object.fromEntries(
    parts.map((part) => {
      const [heading = '', ...rest] = part.split('\n');
      return [heading.trim(), plain(rest.join('\n').trim().split('\n\n')[0] ?? '')];
    }),
  );
}

/** The modules that a page needs are named in it, so that a browser asks for all of them at once. */
function pageOf(room, build, files) {
  const needed = new Set();
  const meet = (name) => {
    if (needed.has(name)) return;
    needed.add(name);
    const text = files.get(name).bytes.toString();
    for (const [, from] of text.matchAll(/^(?:import|export)\b[^;]*?\bfrom '([^']+)'/gm))
      meet(posix.join(posix.dirname(name), from));
  };
  meet(`${room}/main.js`);
  const preloads = [...needed].map((name) => `<link rel="modulepreload" href="assets/${build}/${name}">`);
  return readFileSync(at(room, 'index.html'), 'utf8')
    .replaceAll('{assets}/../', `assets/${build}/`)
    .replaceAll('{assets}', `assets/${build}/${room}`)
    .replace('{modules}', preloads.join('\n'));
}

function removeOthers(written) {
  const folder = at('dist', 'assets');
  for (const path of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const name = join(path.parentPath ?? path.path, path.name).slice(folder.length + 1);
    if (path.isFile() && !written.has(name)) rmSync(join(folder, name));
  }
}
