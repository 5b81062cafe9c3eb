// Gathers what browsers load into dist/assets: modules, styles and pictures with their compressed forms, and the pages, which
// name them by a hash of all of it. src/http/assets.ts serves them.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { at } from './place.mjs';

/** Each has a folder of sources, and one of modules in dist. */
const ROOMS = ['client', 'storefront'];
const TYPES = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
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
  for (const room of pages) write(`${room}/index.html`, pageOf(room, build, [...files.keys()]));
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
      const type = TYPES[extname(file)];
      if (type === undefined) continue;
      // The map of a module is not served: no browser shall ask for it.
      const text = readFileSync(join(folder, file), 'utf8').replace(/^\/\/# sourceMappingURL=.*\n?/m, '');
      // Types alone make an empty module, which nobody imports.
      if (/^(\/\/.*\n)*export \{\};\s*$/.test(text)) continue;
      const bytes = Buffer.from(text);
      const tag = createHash('sha256').update(bytes).digest('base64url').slice(0, 16);
      yield [`${room}/${file}`, { type, tag, bytes }];
    }
  }
}

/** Modules are named in the page, so that a browser asks for all of them at once. */
function pageOf(room, build, files) {
  const isNeeded = (name) =>
    name.endsWith('.js') && (name.startsWith(`${room}/`) || name.startsWith('client/'));
  const preloads = files
    .filter(isNeeded)
    .map((name) => `<link rel="modulepreload" href="assets/${build}/${name}">`);
  return readFileSync(at(room, 'index.html'), 'utf8')
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
