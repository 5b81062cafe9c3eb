// Makes a fresh clone ready; what package.json starts runs it first. It needs nothing but Node and npm, does only what is
// missing, says what it installs before it does, and says nothing when nothing is missing.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeAssets } from './assets.mjs';
import { countMissingPackages, installPackages, linkPostgresLibraries } from './packages.mjs';
import { at, filesUnder, readJson, runNode, say, stop } from './place.mjs';
import { installRedis, planRedis } from './redis.mjs';

const FOLDERS = ['src', 'client', 'storefront', 'console', 'test', 'campaigns', 'checks', 'perf', 'demo'];
/** What else decides what is built: the console has the runbook's paragraphs. */
const OTHERS = [
  'tsconfig.json',
  'package-lock.json',
  'scripts/assets.mjs',
  'scripts/bundle.mjs',
  'docs/runbook.md',
];
/** What browsers run is compiled again, with a browser's types; declarations come with it. */
const PROJECTS = ['tsconfig.json', 'storefront/tsconfig.json'];

checkNode();
const packages = countMissingPackages();
const redisFrom = planRedis();
announce();
if (packages > 0) installPackages();
linkPostgresLibraries();
build();
if (redisFrom) installRedis(redisFrom);

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  stop(`flashsale needs Node 20.19 or later; this is ${process.version}.`);
}

function announce() {
  if (packages === 0 && !redisFrom) return;
  say('Installing, once:');
  if (packages > 0)
    say(`  ${packages} npm packages that package-lock.json names, into node_modules (npm ci)`);
  if (redisFrom) say(`  redis-server, into this system (${redisFrom}); FLASHSALE_INSTALL=no forbids it`);
}

/** One hash over name, size and time of every input: a deleted or an older file is a change as well. */
function fingerprint() {
  const sources = FOLDERS.flatMap((folder) => [...filesUnder(folder)]);
  const hash = createHash('sha256');
  for (const path of [...OTHERS.filter((path) => existsSync(at(path))), ...sources.sort()]) {
    const { size, mtimeMs } = statSync(at(path));
    hash.update(`${path} ${size} ${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

function build() {
  const stamp = at('dist', '.built-from');
  const wanted = fingerprint();
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  say('Building …');
  const tsc = at('node_modules', 'typescript', readJson(at('node_modules/typescript/package.json')).bin.tsc);
  for (const project of PROJECTS.filter((path) => existsSync(at(path))))
    if (!runNode([tsc, '-p', at(project)])) stop('The build failed; the messages of tsc are above.');
  if (!runNode([at('scripts', 'bundle.mjs')])) stop('The build failed; the messages of esbuild are above.');
  makeAssets();
  removeOrphans();
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, wanted);
}

/** Built in place and swept afterwards, not removed before: a server may be running from this very folder. */
function removeOrphans() {
  for (const folder of FOLDERS) {
    for (const path of filesUnder(join('dist', folder))) {
      const source = path.slice('dist/'.length).replace(/(\.js(\.map)?|\.d\.ts)$/, '.ts');
      if (!existsSync(at(source))) rmSync(at(path));
    }
  }
}
