/** Starts first: it takes among the longest. */
import assert from 'node:assert/strict';
import { execFileSync, fork, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { SetupError } from '../../src/config.ts';
import { startOf } from '../../src/private/processes.ts';
import { startLocalServices } from '../../src/private/services.ts';
import {
  AOF_MS,
  assertKept,
  childrenOf,
  dataDir,
  exits,
  goneWithin,
  hold,
  serverPids,
  sql,
  start,
  started,
  within,
  withRedis,
  write,
} from '../support/private-services.ts';

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
