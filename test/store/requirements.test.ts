import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import pg from 'pg';
import { createClient } from 'redis';
import { SetupError } from '../../src/config.ts';
import { type LocalServices, startLocalServices } from '../../src/private/services.ts';
import { openRedis } from '../../src/store/redis.ts';
import { requirePostgres, requireRedis } from '../../src/store/requirements.ts';
import { until } from '../support/processes.ts';

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

/** A way to Redis on which one field of INFO says something else of the same length. Returns its URL. */
async function wayThatHides(field: string, instead: string): Promise<string> {
  const { port } = new URL(services.redisUrl!);
  const server = createServer((near) => {
    const far = connect(Number(port), '127.0.0.1');
    near.on('error', () => {}).pipe(far);
    far.on('error', () => {}).on('close', () => near.destroy());
    far.setEncoding('latin1').on('data', (text: string) => {
      const changed = text.replace(new RegExp(`(\\n${field}:)[0-9a-f]{40}`), `$1${instead}`);
      near.write(Buffer.from(changed, 'latin1'));
    });
    near.on('close', () => far.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.unref();
  const url = new URL(services.redisUrl!);
  url.port = String((server.address() as { port: number }).port);
  return url.href;
}

test('a Redis that does not name its process and its history by random ids is refused, at the start and later', async () => {
  const words = 'a-proxy-of-managed-redis'.padEnd(40, '-');
  const ways: [string, string][] = [
    ['run_id', '0'.repeat(40)],
    ['run_id', words],
    ['master_replid', '0123'.repeat(10)],
    ['master_replid', words],
  ];
  for (const [field, instead] of ways) {
    const url = await wayThatHides(field, instead);
    const options = { url, onError: () => {} };
    await assert.rejects(
      openRedis({ ...options, patient: false }),
      names('REDIS_URL', 'run_id', 'master_replid'),
    );
    const errors: Error[] = [];
    const patient = await openRedis({ url, patient: true, onError: (error) => errors.push(error) });
    assert.equal(patient.isUp, false, 'a worker does not use it');
    assert.ok(errors[0] && names('run_id')(errors[0]));
    await patient.close();
  }
});

test('a Redis that would evict is not used when it comes back so, until it is set right', async () => {
  const errors: Error[] = [];
  const used = await openRedis({
    url: services.redisUrl!,
    patient: false,
    onError: (error) => void errors.push(error),
  });
  await configure('maxmemory-policy', 'allkeys-lru');
  await redis.sendCommand(['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes']);
  await until('it is refused', () => errors.some((error) => error instanceof SetupError));
  assert.equal(used.isUp, false);
  await configure('maxmemory-policy', 'noeviction');
  await until('it is used again', () => used.isUp);
  assert.equal(errors.filter((error) => error instanceof SetupError).length, 1, 'it is said once');
  await used.close();
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
