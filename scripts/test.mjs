// Runs the tests: lints, then runs the compiled test files side by side, and prints the ten slowest.
// `node scripts/test.mjs store routes/items` runs only the files whose paths begin so. scripts/setup.mjs comes before.
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { availableParallelism, cpus, freemem, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { at, root, stop } from './place.mjs';

const folder = at('dist', 'test');
/**
 * Where the tests' servers keep their data, if there is room: most copy a cluster of 48 MB, and wait for a disk that others use too.
 * Processes are killed here, and never the machine: nothing is lost that a disk would have kept.
 */
const MEMORY = { path: '/dev/shm', bytes: 4 * 2 ** 30 };
/**
 * Some files only wait, and some take all cores. So many run side by side in any case; up to MOST while a part of the cores idles.
 * With more than that at work, services have been too slow for what tests expect of them.
 */
const LEAST = availableParallelism();
const MOST = 3 * LEAST;
/** A file that has just started has not shown yet what it takes. */
const LOOK_MS = 500;
/** The part of all cores' time in which they had nothing to do. */
const IDLE = 0.2;
/** The longest file takes a minute on two busy cores; one that takes this long hangs. */
const FILE_MAX_MS = 300_000;
/** In a comment of a file that counts what happens in a time. */
const ALONE = 'Runs alone';
/** In a comment of the files that take the longest: none of them must come last. */
const FIRST = 'Starts first';
const COUNTED = ['tests', 'pass', 'fail', 'cancelled', 'skipped', 'todo'];

const beganMs = performance.now();
const wanted = process.argv
  .slice(2)
  .map((path) => path.replace(/^(dist\/)?test\//, '').replace(/\.(ts|js)$/, ''));
if (wanted.length === 0) lint();
const files = listFiles().filter(
  ({ name }) => wanted.length === 0 || wanted.some((path) => name.startsWith(path)),
);
if (files.length === 0) stop(`There is no test file at ${wanted.join(', ')}.`);

const running = new Set();
const dir = makeDir();
process.env.TMPDIR = dir;
process.once('exit', () => {
  for (const child of running) child.kill('SIGTERM');
  rmSync(dir, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1));
const template = await makeTemplate();

const results = [];
await runAll(files.filter(({ alone }) => !alone));
for (const file of files.filter(({ alone }) => alone)) await run(file);
report();

function lint() {
  const biome = at('node_modules', '@biomejs', 'biome', 'bin', 'biome');
  const { status } = spawnSync(process.execPath, [biome, 'check', '--error-on-warnings'], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) stop('Form and style are checked first: `npx biome check --write` corrects most of it.');
}

/** The files in the order of their names, but for those that start first. */
function listFiles() {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.js'))
    .map((path) => {
      const text = readFileSync(join(folder, path), 'utf8');
      return {
        name: path.slice(0, -'.test.js'.length),
        path: join(folder, path),
        first: text.includes(FIRST),
        alone: text.includes(ALONE),
      };
    })
    .sort((a, b) => b.first - a.first || a.name.localeCompare(b.name));
}

/** The folder of all that this run writes; other users may enter it, as Postgres' does. */
function makeDir() {
  const made = mkdtempSync(join(hasRoom(MEMORY) ? MEMORY.path : tmpdir(), 'flashsale-tests-'));
  chmodSync(made, 0o755);
  return made;
}

function hasRoom({ path, bytes }) {
  try {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize >= bytes && freemem() >= 2 * bytes;
  } catch {
    return false; // there is none
  }
}

/** A PostgreSQL cluster to copy: to make one takes a second of CPU, and some fifty files each want their own. */
async function makeTemplate() {
  const { makeTemplate: make } = await import(new URL('../dist/test/support/template.js', import.meta.url));
  return make();
}

/** Starts files in their order, another one whenever there is room for it. */
async function runAll(some) {
  const runs = [];
  for (const file of some) {
    if (running.size >= LEAST) await untilRoom();
    runs.push(run(file));
  }
  await Promise.all(runs);
}

async function untilRoom() {
  for (;;) {
    const before = timesOfCores();
    await sleep(LOOK_MS);
    const after = timesOfCores();
    const idle = (after.idle - before.idle) / (after.all - before.all);
    if (running.size < LEAST || (running.size < MOST && idle > IDLE)) return;
  }
}

function timesOfCores() {
  const sum = (which) => cpus().reduce((total, { times }) => total + which(times), 0);
  return { idle: sum(({ idle }) => idle), all: sum((times) => Object.values(times).reduce((a, b) => a + b)) };
}

function run(file) {
  const fileBeganMs = performance.now();
  const env = { ...process.env, FLASHSALE_POSTGRES_TEMPLATE: template };
  const child = spawn(process.execPath, ['--test-reporter=tap', file.path], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let output = '';
  const hear = (text) => {
    output += text;
  };
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', hear);
  const late = setTimeout(() => child.kill('SIGKILL'), FILE_MAX_MS);
  return new Promise((resolve) => {
    child.once('close', (code, signal) => {
      clearTimeout(late);
      running.delete(child);
      const s = (performance.now() - fileBeganMs) / 1_000;
      const counts = countsIn(output);
      const isGood = code === 0 && counts.fail === 0 && counts.tests > 0;
      process.stdout.write(`${isGood ? '✔' : '✖'} ${file.name} (${counts.pass} in ${s.toFixed(1)} s)\n`);
      if (!isGood)
        process.stdout.write(`${failuresIn(output) || output}\n${signal ? `ended by ${signal}\n` : ''}`);
      results.push({ name: file.name, s, isGood, counts });
      resolve();
    });
  });
}

function countsIn(output) {
  const count = (what) => Number(new RegExp(`^# ${what} (\\d+)$`, 'm').exec(output)?.[1] ?? 0);
  return Object.fromEntries(COUNTED.map((what) => [what, count(what)]));
}

/** The blocks of TAP that begin with `not ok`. */
function failuresIn(output) {
  return output.match(/^ *not ok .*?^ *\.\.\.$/gms)?.join('\n');
}

function report() {
  const slowest = [...results].sort((a, b) => b.s - a.s).slice(0, 10);
  process.stdout.write('\nThe slowest files:\n');
  for (const { name, s } of slowest) process.stdout.write(`${s.toFixed(1).padStart(7)} s  ${name}\n`);
  const sum = (what) => results.reduce((total, { counts }) => total + counts[what], 0);
  const broken = results.filter(({ isGood, counts }) => !isGood && counts.fail === 0).length;
  process.stdout.write(
    `\n# tests ${sum('tests') + broken}\n# suites 0\n# pass ${sum('pass')}\n# fail ${sum('fail') + broken}\n# cancelled ${sum('cancelled')}\n` +
      `# skipped ${sum('skipped')}\n# todo ${sum('todo')}\n# duration_ms ${Math.round(performance.now() - beganMs)}\n`,
  );
  process.exitCode = results.every(({ isGood }) => isGood) ? 0 : 1;
}
