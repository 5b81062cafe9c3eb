import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import pg from 'pg';
import { createClient } from 'redis';
import { SetupError } from '../../src/config.ts';
import { type LocalServices, startLocalServices } from '../../src/private/services.ts';
import { requirePostgres, requireRedis } from '../../src/store/requirements.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'flashsale-requirements-'));
let services: LocalServices;
let redis: Awaited<ReturnType<typeof connectRedis>>;

before(async () => {
  services = await startLocalServices({
    dataDir,
    redis: true,
    postgres: true,
    redisServer: undefined,
    onExit: assert.fail,
  });
  redis = await connectRedis(services.redisUrl!);
});
after(async () => {
  redis?.destroy();
  await services?.stop();
  rmSync(dataDir, { recursive: true, force: true });
});
afterEach(async () => {
  await configure('maxmemory', '0');
  await configure('maxmemory-policy', 'noeviction');
  await configure('no-appendfsync-on-rewrite', 'no');
  await configure('appendonly', 'yes');
});

async function connectRedis(url: string, RESP: 2 | 3 = 3) {
  const client = createClient({ url, RESP });
  client.on('error', () => {});
  await client.connect();
  return client;
}
const configure = (name: string, value: string) => redis.sendCommand(['CONFIG', 'SET', name, value]);

async function withPostgres<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: services.databaseUrl });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** One sentence that names the setting. */
const names =
  (...words: string[]) =>
  (error: Error) => {
    assert.ok(error instanceof SetupError, error.stack);
    for (const word of words) assert.ok(error.message.includes(word), `"${error.message}" names ${word}`);
    assert.match(error.message, /^[^\n]*\.$/);
    return true;
  };

test('the private servers fulfil all requirements', async () => {
  await requireRedis(redis);
  await withPostgres(requirePostgres);
});

test('a Redis that evicts is refused, whether or not its memory is limited', async () => {
  await configure('maxmemory-policy', 'allkeys-lru');
  await assert.rejects(requireRedis(redis), names('REDIS_URL', 'maxmemory-policy allkeys-lru', 'noeviction'));
  await configure('maxmemory', '100mb');
  await configure('maxmemory-policy', 'volatile-ttl');
  await assert.rejects(requireRedis(redis), names('maxmemory-policy volatile-ttl'));
  await configure('maxmemory-policy', 'noeviction');
  await requireRedis(redis);
});

test('a Redis that stops syncing during a rewrite is refused', async () => {
  await configure('no-appendfsync-on-rewrite', 'yes');
  await assert.rejects(requireRedis(redis), names('REDIS_URL', 'no-appendfsync-on-rewrite yes'));
});

test('a Redis without a file is accepted: it is rebuilt from Postgres', async () => {
  await configure('appendonly', 'no');
  await requireRedis(redis);
});

test('the settings are understood over RESP2 as well', async () => {
  const old = await connectRedis(services.redisUrl!, 2);
  try {
    await configure('no-appendfsync-on-rewrite', 'yes');
    await assert.rejects(requireRedis(old), names('no-appendfsync-on-rewrite'));
  } finally {
    old.destroy();
  }
});

test('where CONFIG is forbidden, INFO says whether it evicts, and the rest is taken on trust', async () => {
  await redis.sendCommand(['ACL', 'SETUSER', 'managed', 'on', '>secret', '~*', '&*', '+@all', '-config']);
  const url = new URL(services.redisUrl!);
  url.username = 'managed';
  url.password = 'secret';
  const managed = await connectRedis(url.href);
  try {
    await assert.rejects(managed.sendCommand(['CONFIG', 'GET', 'maxmemory']), /NOPERM/);
    await configure('no-appendfsync-on-rewrite', 'yes');
    await requireRedis(managed);
    await configure('maxmemory-policy', 'allkeys-random');
    await assert.rejects(requireRedis(managed), names('maxmemory-policy allkeys-random'));
  } finally {
    managed.destroy();
  }
});

test('a Redis before 7.0 is refused', async () => {
  const aged = (version: string) => ({
    info: async (section: string) =>
      (await redis.info(section)).replace(/redis_version:.*/, `redis_version:${version}\r`),
    sendCommand: (words: string[]) => redis.sendCommand(words),
  });
  await assert.rejects(requireRedis(aged('6.2.14')), names('REDIS_URL', '6.2.14', '7.0'));
  await requireRedis(aged('10.0.0'));
});

test('a Postgres without fsync is refused', async () => {
  const set = (text: string) =>
    withPostgres(async (client) => {
      await client.query(text);
      await client.query('select pg_reload_conf()');
      await client.query('select pg_sleep(0.2)');
    });
  await set('alter system set fsync = off');
  try {
    await assert.rejects(withPostgres(requirePostgres), names('DATABASE_URL', 'fsync off'));
  } finally {
    await set('alter system reset fsync');
  }
  await withPostgres(requirePostgres);
});

test('a Postgres before 14 is refused', async () => {
  const row = { major: 13, version: '13.11 (Debian)', fsync: 'on' };
  const aged = { query: async () => ({ rows: [row] }) };
  await assert.rejects(requirePostgres(aged), names('DATABASE_URL', '13.11', '14'));
});
