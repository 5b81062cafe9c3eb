import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { ownServer } from '../../campaigns/faults/stores.ts';
import { preparePostgres } from '../../src/private/postgres.ts';
import { postgresUrl } from '../../src/private/postgres-cluster.ts';
import { seekLeadership } from '../../src/store/leadership.ts';
import { atEnd } from '../support/at-end.ts';
import { until } from '../support/processes.ts';
import { freePort } from '../support/service.ts';
import { temporaryDir } from '../support/stores.ts';

const dataDir = temporaryDir();
const PASSWORD = 'password';
const port = await freePort();
const spec = await preparePostgres(dataDir, port, { value: PASSWORD, isNew: true });
// What is written so a standby can replay.
const server = ownServer({ ...spec, args: [...spec.args, '-c', 'wal_level=replica'] });
const url = postgresUrl(port, PASSWORD);
await server.start();
atEnd(() => server.kill('SIGQUIT'));

async function withClient<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function seek(canLead = () => true) {
  const changes: boolean[] = [];
  const leadership = await seekLeadership(url, canLead, (isLeader) => void changes.push(isLeader));
  atEnd(leadership.close);
  return { leadership, changes };
}

test('one box leads; it gives way when it cannot lead for some seconds, and takes no lock meanwhile', async () => {
  let isFit = true;
  const first = await seek(() => isFit);
  const second = await seek();
  assert.deepEqual([first.leadership.isLeader, second.leadership.isLeader], [true, false]);
  isFit = false;
  await until('the other one leads', () => second.leadership.isLeader);
  assert.deepEqual([first.changes, second.changes], [[true, false], [true]]);
  await second.leadership.close();
  await sleep(1_500);
  assert.equal(first.leadership.isLeader, false, 'nobody leads rather than one that cannot');
  isFit = true;
  await until('it leads again', () => first.leadership.isLeader);
  await first.leadership.close();
});

test('on a standby nobody leads, though it grants the lock; when it is promoted, one does', async () => {
  await server.kill('SIGINT');
  // The owner of the cluster is not ours when we are root.
  const { status } = spawnSync('cp', [
    '-a',
    `${dataDir}/postgres/PG_VERSION`,
    `${dataDir}/postgres/standby.signal`,
  ]);
  assert.equal(status, 0);
  await server.start();
  const ask = (sql: string) => withClient(async (client) => (await client.query(sql)).rows[0]?.is);
  assert.equal(await ask('select pg_is_in_recovery() as is'), true);
  assert.equal(await ask('select pg_try_advisory_lock(1) as is'), true, 'a standby grants locks of its own');
  const { leadership, changes } = await seek();
  await sleep(1_500);
  assert.deepEqual([leadership.isLeader, changes], [false, []]);
  assert.equal(await ask('select pg_promote() as is'), true);
  await until('it leads', () => leadership.isLeader);
  assert.deepEqual(changes, [true]);
});
