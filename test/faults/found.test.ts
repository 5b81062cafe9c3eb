// What the campaign found, each as a test of its own (docs/scoreboard.md, "Bugs this campaign found").
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { withPostgres } from '../../campaigns/faults/dumps.ts';
import { startProxy } from '../../campaigns/faults/proxy.ts';
import { until } from '../../campaigns/faults/stand.ts';
import { type LocalServices, startLocalServices } from '../../src/private/services.ts';
import { Unanswered } from '../../src/store/errors.ts';
import { openPostgres } from '../../src/store/postgres.ts';
import { openRedis } from '../../src/store/redis.ts';

const dataDir = realpathSync(mkdtempSync(join(tmpdir(), 'flashsale-found-')));
let services: LocalServices;

before(async () => {
  chmodSync(dataDir, 0o755);
  services = await startLocalServices({
    dataDir,
    redis: true,
    postgres: true,
    redisServer: undefined,
    onExit: () => {},
  });
});
after(async () => {
  await services?.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

test('a connection that is lost between two statements of a transaction does not end the process', async () => {
  const url = services.databaseUrl as string;
  const errors: Error[] = [];
  const options = {
    url,
    connectionsMax: 2,
    patient: false,
    onError: (error: Error) => void errors.push(error),
  };
  const postgres = await openPostgres(options);
  const work = postgres.transaction('sales', async (client) => {
    const { rows } = await client.query('select pg_backend_pid() as pid');
    await withPostgres(url, (other) => other.query('select pg_terminate_backend($1)', [rows[0].pid]));
    // An error event that nobody hears would be uncaught about here.
    await sleep(100);
    await client.query('select 1');
  });
  await assert.rejects(work, Unanswered);
  assert.ok(errors.length > 0);
  await until(() => postgres.isUp, 'Postgres counts as up again');
  await postgres.close();
});

test('a connection to Redis over which nothing comes any more is replaced within seconds', async () => {
  const url = services.redisUrl as string;
  const proxy = await startProxy(Number(new URL(url).port));
  const proxied = url.replace(/:\d+$/, `:${proxy.port}`);
  const redis = await openRedis({ url: proxied, patient: false, onError: () => {} });
  proxy.silence();
  await assert.rejects(redis.command('PING'), Unanswered);
  assert.equal(redis.isUp, false);
  await until(() => redis.isUp, 'Redis is reached again', 8_000);
  assert.equal(await redis.command('PING'), 'PONG');
  await redis.close();
  proxy.close();
});
