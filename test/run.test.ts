import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Clone, makeClone, root } from './support/clone.ts';

let clone: Clone;
beforeEach(() => {
  clone = makeClone();
});
afterEach(() => clone.remove());

const read = (path: string) => readFileSync(join(root, path), 'utf8');

test('a command sets up, then is the program: its options, its exit code', () => {
  clone.write('src/primary/main.ts', 'console.log(process.argv.slice(1).join()); process.exitCode = 7;\n');
  const { status, output } = clone.run(['run.mjs', 'start', '--one', 'two']);
  assert.equal(status, 7);
  const path = join(clone.dir, 'dist/service/primary/main.js');
  // What the program says comes first here: both streams are put one behind the other.
  assert.equal(output, `${path},--one,two\nBuilding …\n`);
});

test('a set-up that fails stops the command, with one sentence', () => {
  clone.write('src/primary/main.ts', 'console.log("started");\n');
  const { status, output } = clone.run(['run.mjs', 'start'], { REDIS_SERVER: '/nowhere' });
  assert.equal(status, 1);
  assert.match(output, /^REDIS_SERVER is [^\n]+\n$/);
});

test('signals are the program’s own', async () => {
  clone.write(
    'src/primary/main.ts',
    'setInterval(() => {}, 1_000); process.once("SIGTERM", () => process.exit(9)); console.log("ready");\n',
  );
  const child = spawn(process.execPath, [join(clone.dir, 'scripts/run.mjs'), 'start'], {
    env: { PATH: join(clone.dir, 'bin') },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  child.kill('SIGTERM');
  assert.deepEqual(await once(child, 'exit'), [9, null]);
});

test('SIGTERM to npm reaches the program, whose exit code is npm’s', async () => {
  clone.write(
    'src/primary/main.ts',
    'setInterval(() => {}, 1_000); process.once("SIGTERM", () => process.exit(9)); console.log(process.pid);\n',
  );
  const PATH = `${join(clone.dir, 'bin')}:${process.env.PATH}`;
  const child = spawn('npm', ['start', '--silent'], {
    cwd: clone.dir,
    env: { PATH },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [pid] = await once(child.stdout, 'data');
  child.kill('SIGTERM');
  assert.deepEqual(await once(child, 'exit'), [9, null]);
  assert.throws(() => process.kill(Number(pid), 0), { code: 'ESRCH' });
});

test('what looks at a running service is started as it is, without a set-up', () => {
  clone.write('perf/audit.ts', 'console.log("audited");\n');
  const unbuilt = clone.run(['run.mjs', 'audit']);
  assert.equal(unbuilt.status, 2);
  assert.match(unbuilt.output, /^audit is not built: [^\n]+\n$/);
  clone.write('dist/perf/audit.js', 'console.log("audited");\n');
  assert.deepEqual(clone.run(['run.mjs', 'audit']), { status: 0, output: 'audited\n' });
});

test('a name that is none is answered with those that are', () => {
  for (const name of ['', 'sell', 'constructor']) {
    const { status, output } = clone.run(['run.mjs', name]);
    assert.equal(status, 2);
    assert.match(output, /start, sellout, rehearse/);
  }
});

/** The names that a list of commands shows: two spaces, a word, two spaces. */
const namesIn = (text: string) => [...text.matchAll(/^ {2}([a-z][a-z-]*) {2,}/gm)].map(([, name]) => name!);

/** What one of our programs says. */
async function say(program: string, ...args: string[]) {
  const path = fileURLToPath(new URL(`../${program}`, import.meta.url));
  // With NODE_TEST_CONTEXT a check would tell its results to this run, in its own language.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = spawn(process.execPath, [path, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => {
      said += text;
    });
  const [code] = await once(child, 'close');
  return { code: code as number, said };
}

test('every script of package.json names a program that is there', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const runner = read('scripts/run.mjs');
  for (const [name, command] of Object.entries(scripts)) {
    const started = /^exec node scripts\/run\.mjs ([\w-]+)$/.exec(command)?.[1];
    assert.equal(started, /run\.mjs/.test(command) ? name : undefined);
    if (started === undefined) continue;
    const program = new RegExp(`^ {2}'?${name}'?: '(.+)',$`, 'm').exec(runner)?.[1];
    assert.ok(program && existsSync(fileURLToPath(new URL(`../${program}`, import.meta.url))), name);
  }
});

test('the checks and tools that pages and comments name are there', async () => {
  const known = {
    check: namesIn((await say('checks/main.js')).said),
    perf: [...namesIn((await say('perf/main.js', 'list')).said), 'list'],
  };
  assert.ok(known.check.length > 5 && known.perf.length > 2);
  const texts = [
    '.',
    'docs',
    'checks',
    'checks/deploy',
    'checks/monitoring',
    'perf',
    'test/deploy',
    'deploy',
  ].flatMap((folder) =>
    readdirSync(join(root, folder), { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(folder, entry.name)),
  );
  const named = texts.flatMap((path) =>
    [...read(path).matchAll(/npm run (check|perf) -- ((?:[a-z][a-z-]* ?)+)/g)].flatMap(
      ([, command = '', words = '']) => {
        const all = words.split(' ').filter((word) => word !== '');
        // Several checks run one after another; a tool takes the words behind its name.
        return (command === 'check' ? all : all.slice(0, 1)).map((word) => ({ command, word, path }));
      },
    ),
  );
  assert.ok(named.length > 10);
  const wrong = named.filter(({ command, word }) => !known[command as keyof typeof known].includes(word));
  assert.deepEqual(wrong, []);
});

test('a check that is none is refused; one that fails is named, and the others run', async () => {
  assert.deepEqual((await say('checks/main.js', 'nope')).code, 2);
  const { code, said } = await say('checks/main.js', 'image', 'compose', '--no-such-option');
  assert.equal(code, 1);
  assert.match(said, /== image[\s\S]*== compose[\s\S]*# fail 0[\s\S]*Failed: image\./);
  assert.equal((await say('checks/main.js', 'compose')).code, 0);
});

test('.nvmrc names the Node of the image, which package.json allows', () => {
  const major = read('.nvmrc').trim();
  assert.equal(major, /^ARG NODE_MAJOR=(\d+)$/m.exec(read('Dockerfile'))?.[1]);
  const { engines } = JSON.parse(read('package.json')) as { engines: { node: string } };
  assert.ok(Number(major) >= Number(/^>=(\d+)\./.exec(engines.node)?.[1]));
});

test('the image is built from every folder that is compiled', () => {
  const folders = [
    'storefront',
    'console',
    ...(JSON.parse(read('tsconfig.json')) as { include: string[] }).include,
  ];
  const copied = [...read('Dockerfile').matchAll(/^COPY (\w+) \1$/gm)].map(([, folder]) => folder);
  const letIn = [...read('.dockerignore').matchAll(/^!(\w+)$/gm)].map(([, folder]) => folder);
  for (const folder of folders) assert.ok(copied.includes(folder) && letIn.includes(folder), folder);
});
