// Puts each of the service's two programs into one file, with all that it imports: `node scripts/bundle.mjs [FOLDER]`, after
// tsc, makes FOLDER/dist/service from FOLDER/dist/src. A worker has over a thousand modules: to find, read and link them is most
// of what its start costs.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { root } from './place.mjs';

const PROGRAMS = ['primary/main.js', 'worker/main.js'];
/** What packages that are no modules of the standard expect node to give them. */
const BANNER =
  "import { createRequire as requireFrom } from 'node:module';\n" +
  'const require = requireFrom(import.meta.url);\n' +
  'const { filename: __filename, dirname: __dirname } = import.meta;';

const folder = process.argv[2] ?? root;
buildSync({
  absWorkingDir: folder,
  entryPoints: PROGRAMS.map((path) => join('dist/src', path)).filter((path) =>
    existsSync(join(folder, path)),
  ),
  outdir: 'dist/service',
  outbase: 'dist/src',
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  banner: { js: BANNER },
  // Optional to `pg`, and not installed.
  external: ['pg-native'],
  sourcemap: 'linked',
  logLevel: 'warning',
});
