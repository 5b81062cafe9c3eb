import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, fork, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { createClient } from 'redis';
import { SetupError } from '../../src/config.ts';
import { startOf } from '../../src/private/processes.ts';
import { type LocalServices, startLocalServices } from '../../src/private/services.ts';

let dataDir: string;
let exits: string[];
/** What each test has started, ended in any case. */
let started: { services: LocalServices[]; processes: ChildProcess[] };

beforeEach(() => {
  dataDir = realpathSync(mkdtempSync(join(tmpdir(), 'flashsale-services-')));
  chmodSync(dataDir, 0o755);
  exits = [];
  started = { services: [], processes: [] };
});
afterEach(async () => {
  for (const services of started.services) await services.stop();
  for (const child of started.processes) child.kill('SIGKILL');
  for (const pid of serverPids()) await goneWithin(15_000, pid);
  rmSync(dataDir, { recursive: true, force: true });
});

async function start(options: { dataDir?: string; redis?: boolean; postgres?: boolean } = {}) {
  const services = await startLocalServices({
    dataDir,
    redis: true,
    postgres: true,
    redisServer: undefined,
    onExit: (name, detail) => exits.push(`${name} ${detail}`),
    ...options,
  });
  started.services.push(services);
  return services;
}

/** Runs `hold-services` in a process of its own until it has started or was refused. */
async function hold(names: string) {
  const script = fileURLToPath(new URL('hold-services.js', import.meta.url));
  const child = fork(script, [dataDir, names]);
  started.processes.push(child);
  const [message] = await once(child, 'message');
  return { child, message: message as { redisUrl?: string; databaseUrl?: string; refused?: string } };
}

const pidIn = (path: string) => {
  try {
    return [Number.parseInt(readFileSync(join(dataDir, path), 'utf8'), 10)];
  } catch {
    return [];
  }
};
const serverPids = () => [...pidIn('redis.pid'), ...pidIn('postgres/postmaster.pid')];

function childrenOf(parent: number) {
  const table = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,command='], { encoding: 'utf8' });
  return [...table.matchAll(/^\s*(\d+)\s+(\d+)\s+(.*)$/gm)]
    .filter((row) => Number(row[2]) === parent && !row[3]!.startsWith('ps '))
    .map((row) => ({ pid: Number(row[1]), command: row[3]! }));
}

async function within<T>(ms: number, what: string, attempt: () => Promise<T | undefined>): Promise<T> {
  for (const end = Date.now() + ms; Date.now() < end; await sleep(20)) {
    const result = await attempt().catch(() => undefined);
    if (result !== undefined) return result;
  }
  throw new Error(`not within ${ms} ms: ${what}`);
}
const goneWithin = (ms: number, pid: number) =>
  within(ms, `process ${pid} leaves`, async () => (startOf(pid) === undefined ? true : undefined));

async function withRedis<T>(
  url: string | undefined,
  work: (client: ReturnType<typeof createClient>) => Promise<T>,
) {
  const client = createClient({ url: url!, socket: { reconnectStrategy: false } });
  client.on('error', () => {});
  await client.connect();
  try {
    return await work(client as ReturnType<typeof createClient>);
  } finally {
    client.destroy();
  }
}
async function sql(url: string | undefined, text: string) {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

/** Leaves a mark in both servers. */
async function write(services: { redisUrl?: string | undefined; databaseUrl?: string | undefined }) {
  await withRedis(services.redisUrl, (client) => client.set('mark', 'kept'));
  await sql(services.databaseUrl, `create table mark as select 'kept' as mark`);
}
async function assertKept(services: { redisUrl: string | undefined; databaseUrl: string | undefined }) {
  assert.equal(await withRedis(services.redisUrl, (client) => client.get('mark')), 'kept');
  assert.deepEqual(await sql(services.databaseUrl, 'select mark from mark'), [{ mark: 'kept' }]);
}
/** Redis writes its file before it answers, unless a sync is just under way: then a moment later. */
const AOF_MS = 100;

test('both servers start, answer, and leave no process behind when stopped', async () => {
  const services = await start();
  await write(services);
  const pids = [...serverPids(), ...childrenOf(process.pid).map(({ pid }) => pid)];
  assert.ok(pids.length >= 5, 'two servers, seen from two sides, and the guard');
  await services.stop();
  await services.stop();
  for (const pid of pids) assert.equal(startOf(pid), undefined, `process ${pid} is gone`);
  assert.deepEqual(childrenOf(process.pid), []);
  assert.deepEqual(exits, []);
});

test('a second start is ready in well under 1.5 s and finds the data', async () => {
  const first = await start();
  await write(first);
  await first.stop();
  const beginMs = Date.now();
  const second = await start();
  assert.ok(Date.now() - beginMs < 1_500, `${Date.now() - beginMs} ms`);
  await assertKept(second);
});

test('both listen on loopback only, below the ephemeral ports, and want the password', async () => {
  const services = await start();
  for (const raw of [services.redisUrl!, services.databaseUrl!]) {
    const url = new URL(raw);
    assert.equal(url.hostname, '127.0.0.1');
    assert.ok(Number(url.port) < 32_768);
    assert.match(url.password, /^[0-9a-f]{48}$/);
    url.password = 'wrong';
    const login =
      url.protocol === 'redis:' ? withRedis(url.href, (client) => client.ping()) : sql(url.href, 'select 1');
    await assert.rejects(login, /WRONGPASS|password authentication failed/);
    for (const { command } of childrenOf(process.pid)) assert.ok(!command.includes(new URL(raw).password));
  }
  for (const file of ['password', 'redis.conf'])
    assert.equal(statSync(join(dataDir, file)).mode & 0o777, 0o600);
  const [set] = await sql(
    services.databaseUrl,
    `select current_setting('fsync') f, current_setting('synchronous_commit') s, current_setting('listen_addresses') l,
            current_setting('server_encoding') e, current_setting('max_connections') c`,
  );
  assert.deepEqual(set, { f: 'on', s: 'on', l: '127.0.0.1', e: 'UTF8', c: '420' });
});

test('when the primary is killed, the servers go, and the next start has the data', async () => {
  const { child, message } = await hold('redis postgres');
  await write(message);
  await sleep(AOF_MS);
  const pids = serverPids();
  assert.equal(pids.length, 2);
  child.kill('SIGKILL');
  for (const pid of pids) await goneWithin(5_000, pid);
  await assertKept(await start());
});

test('servers that survived their primary and its guard are ended by the next start', async () => {
  const { child, message } = await hold('redis postgres');
  await write(message);
  await sleep(AOF_MS);
  const pids = serverPids();
  // Stopped first, or it would replace the guard.
  child.kill('SIGSTOP');
  const guard = childrenOf(child.pid!).find(({ command }) => command.startsWith('/bin/sh'));
  process.kill(guard!.pid, 'SIGKILL');
  child.kill('SIGKILL');
  await sleep(300);
  for (const pid of pids) assert.ok(startOf(pid), 'an orphan by now');
  const services = await start();
  for (const pid of pids) assert.equal(startOf(pid), undefined);
  await assertKept(services);
});

test('a Ctrl-C in the terminal reaches the primary, not its servers', async () => {
  const script = fileURLToPath(new URL('hold-services.js', import.meta.url));
  const child = fork(script, [dataDir, 'redis postgres'], { detached: true });
  started.processes.push(child);
  await once(child, 'message');
  process.kill(-child.pid!, 'SIGINT');
  assert.deepEqual((await once(child, 'message'))[0], { interrupted: true });
  await sleep(300);
  const pids = serverPids();
  assert.equal(pids.filter((pid) => startOf(pid)).length, 2);
  child.kill('SIGKILL');
  for (const pid of pids) await goneWithin(5_000, pid);
});

test('a guard that is killed is replaced', async () => {
  const { child } = await hold('redis');
  const findGuard = () => childrenOf(child.pid!).find(({ command }) => command.startsWith('/bin/sh'));
  const first = findGuard()!;
  process.kill(first.pid, 'SIGKILL');
  await within(2_000, 'another guard', async () =>
    findGuard()?.pid === first.pid ? undefined : findGuard(),
  );
  const [redis] = serverPids();
  child.kill('SIGKILL');
  await goneWithin(5_000, redis!);
});

test('a foreign process that now has a recorded pid is left alone', async () => {
  const first = await start();
  await write(first);
  await first.stop();
  const foreign = spawn('sleep', ['60']);
  started.processes.push(foreign);
  writeFileSync(join(dataDir, 'redis.pid'), `${foreign.pid}\n`);
  const lines = [
    foreign.pid,
    join(dataDir, 'postgres'),
    1_700_000_000,
    20_000,
    '',
    '127.0.0.1',
    '  1  2',
    'ready   ',
  ];
  writeFileSync(join(dataDir, 'postgres', 'postmaster.pid'), `${lines.join('\n')}\n`);
  if (process.getuid?.() === 0)
    execFileSync('chown', [
      '--reference',
      join(dataDir, 'postgres'),
      join(dataDir, 'postgres/postmaster.pid'),
    ]);
  await assertKept(await start());
  assert.ok(startOf(foreign.pid!));
});

test('a second start on the same data is refused, and the first goes on', async () => {
  const services = await start();
  await write(services);
  const refusal = (error: Error) => error instanceof SetupError && error.message.includes('DATA_DIR');
  await assert.rejects(start(), refusal);
  assert.deepEqual((await hold('redis postgres')).message, { refused: 'SetupError' });
  await assertKept(services);
  assert.deepEqual(exits, []);
});

test('of many that start at once on data whose primary was killed, one wins', async () => {
  const { child } = await hold('');
  child.kill('SIGKILL');
  await once(child, 'exit');
  const held = await Promise.all(Array.from({ length: 8 }, () => hold('')));
  assert.equal(held.filter(({ message }) => message.refused === undefined).length, 1);
});

test('a server that dies unasked is back on its port with its data within a second or so', async () => {
  const services = await start();
  await write(services);
  await sleep(AOF_MS);
  for (const pid of serverPids()) process.kill(pid, 'SIGKILL');
  await within(2_500, 'both answer again', async () => {
    await assertKept(services);
    return true;
  });
  assert.deepEqual(exits.slice(0, 2).sort(), ['postgres was ended by SIGKILL', 'redis was ended by SIGKILL']);
  // And once more: the guard and the restart know the new processes.
  for (const pid of serverPids()) process.kill(pid, 'SIGKILL');
  await within(4_000, 'both answer again', async () => {
    await assertKept(services);
    return true;
  });
  const pids = serverPids();
  await services.stop();
  for (const pid of pids) assert.equal(startOf(pid), undefined);
});

test('a server that is stopped (SIGSTOP) can be stopped', async () => {
  const services = await start();
  const pids = serverPids();
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  await services.stop();
  for (const pid of pids) assert.equal(startOf(pid), undefined);
});

test('a lost password file is made again', async () => {
  const first = await start();
  await write(first);
  await first.stop();
  rmSync(join(dataDir, 'password'));
  const second = await start();
  assert.notEqual(second.redisUrl?.slice(0, 30), first.redisUrl?.slice(0, 30));
  await assertKept(second);
});

test('a program that is no Redis is refused by its variable, and nothing is left running', async () => {
  const options = { dataDir, redis: true, postgres: true, redisServer: '/nowhere/redis', onExit: () => {} };
  await assert.rejects(startLocalServices(options), /REDIS_SERVER/);
  assert.deepEqual(childrenOf(process.pid), []);
  await start();
});

test('data under a folder that only root may enter works', { skip: process.getuid?.() !== 0 }, async () => {
  chmodSync(dataDir, 0o700);
  const inner = join(dataDir, 'a "quoted" näme');
  mkdirSync(inner);
  assert.notEqual(spawnSync('ls', [inner], { uid: 65_534 }).status, 0);
  const first = await start({ dataDir: inner });
  await write(first);
  await first.stop();
  await assertKept(await start({ dataDir: inner }));
});
