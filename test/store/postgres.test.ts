import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import pg from 'pg';
import { startProxy } from '../../campaigns/faults/proxy.ts';
import { SetupError } from '../../src/config.ts';
import { Overloaded, Unanswered, Unavailable } from '../../src/store/errors.ts';
import { openPostgres } from '../../src/store/postgres.ts';
import { isContradiction, isRefusal } from '../../src/store/postgres-errors.ts';
import { type Meaning, meaningOf } from '../../src/store/sqlstates.ts';
import { atEnd } from '../support/at-end.ts';
import { until } from '../support/processes.ts';
import { freePort } from '../support/service.ts';
import { openStores, temporaryDir } from '../support/stores.ts';

const stores = await openStores();
const { databaseUrl } = stores;
/** What an operator does beside the service. */
const operator = new pg.Client({ connectionString: databaseUrl });
await operator.connect();
atEnd(() => operator.end());
/** A statement that may take its time, and one that writes, under names that the metrics know. */
const sleep = (s: number) => ({ name: 'find_decisions', text: `select pg_sleep(${s})` });
const WRITE = { name: 'retire_sale', text: 'update sales set retired = retired' };

async function open(options: { url?: string; reads?: boolean; answerMs?: number; patient?: boolean } = {}) {
  const errors: Error[] = [];
  const pool = await openPostgres({
    url: databaseUrl,
    connectionsMax: 3,
    patient: false,
    onError: (error) => errors.push(error),
    ...options,
  });
  atEnd(pool.close);
  return { pool, errors };
}

test('every class of SQLSTATE has its meaning', () => {
  const meanings: Record<Meaning, string[]> = {
    contradiction: ['23505'],
    refused: ['22001', '22P02', '22021', '23502', '23514'],
    'read-only': ['25006'],
    busy: ['40001', '40P01', '55P03', '57014', '25P03'],
    away: ['08006', '28P01', '28000', '3D000', '42501', '53100', '53300', '57P01', '57P03', '58030', 'XX001'],
    bug: ['42601', '42P01', '0A000', '21000', '25001'],
  };
  for (const [meaning, states] of Object.entries(meanings))
    for (const state of states) assert.equal(meaningOf(state), meaning, state);
});

test('a session keeps its promises, whatever the server and the role are set to', async () => {
  for (const weak of ['off', 'local', 'remote_apply']) {
    await operator.query(`alter role flashsale set synchronous_commit = ${weak}`);
    await operator.query(`alter role flashsale set default_transaction_isolation = 'serializable'`);
    const { pool } = await open();
    const shown = await pool.query<{ durable: string; isolation: string; timeout: string }>({
      name: '',
      text: `select current_setting('synchronous_commit') as durable, current_setting('transaction_isolation') as isolation,
        current_setting('statement_timeout') as timeout`,
    });
    const durable = weak === 'remote_apply' ? weak : 'on';
    assert.deepEqual(shown, [{ durable, isolation: 'read committed', timeout: '3s' }]);
  }
  await operator.query('alter role flashsale reset all');
});

test('a server that became read-only is away until it can write again, and its connections are dropped', async () => {
  const { pool, errors } = await open();
  const { pool: idle } = await open();
  await Promise.all([1, 2, 3].map(() => pool.query(WRITE)));
  await operator.query('alter system set default_transaction_read_only = on');
  await operator.query('select pg_reload_conf()');
  await until('read-only', () =>
    pool.query(WRITE).then(
      () => false,
      (error) => error instanceof Unavailable,
    ),
  );
  assert.equal(pool.isUp, false);
  assert.equal(errors.length, 1, 'told once');
  await until('one that has nothing to write hears of it too', () => !idle.isUp);
  await assert.rejects(pool.query(WRITE), Unavailable);
  await until('no connection is kept', () => pool.load.idle + pool.load.active <= 1);
  const { pool: reader } = await open({ reads: true });
  assert.equal((await reader.query(sleep(0))).length, 1, 'it reads on');
  await operator.query('set default_transaction_read_only = off');
  await operator.query('alter system reset default_transaction_read_only');
  await operator.query('select pg_reload_conf()');
  await until('it writes', () => pool.isUp);
  await pool.query(WRITE);
});

test('a Postgres that dies while it is asked whether it is back is asked again, and ends nobody', async () => {
  const { port } = new URL(databaseUrl);
  let cuts = 3;
  // Dies at the question of the breaker, and at no other.
  const dying = createServer((client) => {
    const server = connect(Number(port), '127.0.0.1');
    client.pipe(server).pipe(client);
    for (const socket of [client, server]) socket.on('error', () => {});
    client.on('data', (chunk) => {
      if (cuts > 0 && chunk.includes('can_write') && cuts-- > 0)
        for (const socket of [client, server]) socket.destroy();
    });
  }).listen(0, '127.0.0.1');
  await once(dying, 'listening');
  atEnd(() => void dying.close());
  const url = databaseUrl.replace(`:${port}/`, `:${(dying.address() as AddressInfo).port}/`);
  const { pool, errors } = await open({ url });
  const pid = { name: '', text: 'select pg_backend_pid() as pid' };
  const [row] = await pool.query<{ pid: number }>(pid);
  await operator.query('select pg_terminate_backend($1)', [row?.pid]);
  await until('it is known', async () => !pool.isUp);
  await until('it is back', async () => pool.isUp);
  assert.equal(cuts, 0);
  assert.equal((await pool.query(pid)).length, 1);
  assert.equal(errors.length, 1);
});

test('a read that is late is overloaded, and no outage', async () => {
  const { pool, errors } = await open({ answerMs: 200 });
  await assert.rejects(pool.query(sleep(2)), Overloaded);
  assert.deepEqual([pool.isUp, errors], [true, []]);
  assert.equal((await pool.query(sleep(0))).length, 1);
});

test('what is cancelled, locked or rolled back may be tried again, and is no outage', async () => {
  const { pool, errors } = await open();
  await operator.query('begin');
  await operator.query('lock table sales');
  await assert.rejects(
    pool.query({ name: 'retire_sale', text: `select set_config('lock_timeout', '50ms', false)` }).then(() =>
      pool.transaction('sales', async (client) => {
        await client.query(`set local lock_timeout = '50ms'`);
        await client.query(WRITE.text);
      }),
    ),
    Overloaded,
  );
  await operator.query('rollback');
  const cancelled = assert.rejects(
    pool.query({ name: 'retire_sale', text: 'select pg_sleep(5)' }),
    Overloaded,
  );
  await until('a cancel', async () => {
    const { rows } = await operator.query(
      `select pg_cancel_backend(pid) from pg_stat_activity where query = 'select pg_sleep(5)'`,
    );
    return rows.length > 0;
  });
  await cancelled;
  assert.deepEqual([pool.isUp, errors], [true, []]);
});

test('what contradicts a row, and what no server would take, are told apart from trouble', async () => {
  const { pool, errors } = await open();
  const insert = (number: string) => ({
    name: 'insert_sale',
    text: `insert into migrations (number, name) values (${number}, 'x')`,
  });
  await assert.rejects(
    pool.query(insert('3')).then(() => pool.query(insert('3'))),
    isContradiction,
  );
  await assert.rejects(pool.query(insert('null')), (error) => isRefusal(error) && !isContradiction(error));
  assert.deepEqual([pool.isUp, errors], [true, []]);
  await operator.query(`delete from migrations where name = 'x'`);
});

const hasPgBouncer = spawnSync('pgbouncer', ['--version']).status === 0;

/** PgBouncer before our Postgres, in a mode of pooling. */
async function pgBouncer(mode: 'session' | 'transaction'): Promise<string> {
  const dir = temporaryDir();
  const url = new URL(databaseUrl);
  const port = await freePort();
  writeFileSync(
    join(dir, 'pgbouncer.ini'),
    `[databases]
* = host=127.0.0.1 port=${url.port} user=${url.username} password=${url.password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = ${mode}
`,
  );
  const child = spawn('pgbouncer', ['-u', 'nobody', join(dir, 'pgbouncer.ini')], { stdio: 'ignore' });
  atEnd(() => child.kill('SIGKILL'));
  url.port = String(port);
  await until('the pooler', async () => {
    const client = new pg.Client({ connectionString: url.href });
    await client.connect();
    await client.end();
    return true;
  });
  return url.href;
}

test('a pooler that shares sessions is refused in one sentence; one that does not is welcome', {
  skip: !hasPgBouncer && 'pgbouncer is not installed',
}, async () => {
  await assert.rejects(open({ url: await pgBouncer('transaction') }), (error: Error) => {
    assert.ok(error instanceof SetupError, error.stack);
    assert.match(
      error.message,
      /^The Postgres at DATABASE_URL is behind a pooler[^\n]*session pooling[^\n]*\.$/,
    );
    return true;
  });
  const { pool } = await open({ url: await pgBouncer('session') });
  await pool.query(WRITE);
});

test('connections that fall silent, as of a server without power, are replaced long before the deadline of their queries', async () => {
  const { port } = new URL(databaseUrl);
  const proxy = await startProxy(Number(port));
  atEnd(proxy.close);
  const url = databaseUrl.replace(`:${port}/`, `:${proxy.port}/`);
  const { pool } = await open({ url, answerMs: 60_000 });
  await Promise.all([pool.query(sleep(0.1)), pool.query(sleep(0.1))]);
  proxy.silence();
  const hanging = pool.query(sleep(0));
  await assert.rejects(hanging, (error) => error instanceof Unanswered || error instanceof Unavailable);
  await until('it works', () => pool.query(sleep(0)).catch(() => undefined));
});

test('a connection that is lost before it has said what it is ends nothing but itself', async () => {
  const { port } = new URL(databaseUrl);
  // Cuts the third connection that asks for the timeline: the first two look for the primary.
  const proxy = createServer((client) => {
    const server = connect(Number(port), '127.0.0.1');
    client.on('error', () => {}).on('close', () => server.destroy());
    server.on('error', () => {}).on('close', () => client.destroy());
    server.pipe(client);
    client.on('data', (bytes) => {
      if (bytes.includes('as timeline') && ++asked === 3) client.resetAndDestroy();
      else server.write(bytes);
    });
  });
  let asked = 0;
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  atEnd(() => void proxy.close());
  const through = `127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const url = databaseUrl.replace(`127.0.0.1:${port}`, `${through},${through}`);
  const { pool } = await open({ url, patient: true });
  await until('it works', () => pool.query(sleep(0)).catch(() => undefined));
  assert.ok(asked > 3, 'one was cut, and another was opened');
});
