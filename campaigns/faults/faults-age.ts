import { setTimeout as sleep } from 'node:timers/promises';
import { addPartitions, countStrayAttempts, dropOldAttempts } from '../../src/store/attempts/partitions.ts';
import { Overloaded } from '../../src/store/errors.ts';
import { openPostgres, type Postgres } from '../../src/store/postgres.ts';
import { withPostgres } from './dumps.ts';
import type { Fault, FaultContext } from './faults.ts';
import { call, newAgent, parseBody } from './http.ts';
import { until } from './stand.ts';

const isReady = async ({ stand }: FaultContext): Promise<boolean> => {
  const agent = newAgent(1);
  const { status } = await call(agent, `${stand.urls()[0]}/readyz`);
  agent.destroy();
  return status === 200;
};

/** Postgres lets nobody write for a while, as after a failover to a standby. Purchases are refused before they are decided. */
async function readOnly(context: FaultContext): Promise<void> {
  const { stand, full, mark, clock, measure } = context;
  const set = (isReadOnly: boolean) =>
    withPostgres(stand.direct().databaseUrl, async (client) => {
      await client.query('set default_transaction_read_only = off');
      await client.query(`alter system set default_transaction_read_only = ${isReadOnly ? 'on' : 'off'}`);
      await client.query('select pg_reload_conf()');
    });
  await set(true);
  mark('away-postgres');
  try {
    await until(async () => !(await isReady(context)), 'the service is not ready', 5_000);
    await sleep(full ? 30_000 : 3_000);
  } finally {
    mark('back');
    await set(false);
  }
  clock();
  const back = Date.now();
  await until(() => isReady(context), 'the service is ready', 5_000);
  measure('ready', Date.now() - back);
}

/** Somebody holds the table of items: whatever lists them is late, and nothing else may suffer. */
async function slowRead({ stand, full, clock, violate }: FaultContext): Promise<void> {
  const agent = newAgent(8);
  const url = stand.urls()[0] as string;
  const seen = new Set<string>();
  const ask = async (path: string) => {
    const { status, body } = await call(agent, url + path);
    const { code = '' } = status === 200 ? {} : parseBody({ status, body, headers: {} });
    if (status !== 200 && code !== 'overloaded') seen.add(`${path} is ${status} ${code}`);
  };
  await withPostgres(stand.direct().databaseUrl, async (client) => {
    const { rows } = await client.query('select id, sale_id from items order by random() limit 1');
    const { id, sale_id: sale } = rows[0] as { id: string; sale_id: string };
    await client.query('begin; lock table items in access exclusive mode');
    const end = Date.now() + (full ? 20_000 : 4_000);
    for (let limit = 1; Date.now() < end; limit++) {
      // Not awaited: they are late. Each is another page, so that no cache answers it.
      void ask(`/sales/${sale}/items?limit=${limit}&after=${id}`);
      await Promise.all([ask('/readyz'), ask('/sales?limit=1')]);
      await sleep(100);
    }
    await client.query('rollback');
  });
  clock();
  await sleep(500);
  agent.destroy();
  for (const what of seen) violate('unexpected-answer', `while reads are slow, ${what}`);
}

/** Works on the attempt log as the leader does, each minute. */
async function asLeader(context: FaultContext, work: (postgres: Postgres) => Promise<void>): Promise<void> {
  const { databaseUrl: url } = context.stand.direct();
  const options = { url, connectionsMax: 2, answerMs: 30_000, patient: false, onError: () => {} };
  const postgres = await openPostgres(options);
  try {
    await work(postgres);
  } finally {
    await postgres.close();
  }
}

/** A dump holds every table across midnight, when days have to be added. Attempts are written on, and the days come after it. */
async function dumpAtMidnight(context: FaultContext): Promise<void> {
  const { stand, full, violate } = context;
  const lastDay = new Date(Date.now() + 7 * 86_400_000).toISOString().slice(0, 10).replaceAll('-', '');
  await asLeader(context, async (postgres) => {
    await withPostgres(stand.direct().databaseUrl, async (dump) => {
      await dump.query(`drop table if exists checkout_attempts_${lastDay}`);
      await dump.query(
        'begin isolation level repeatable read; lock table checkout_attempts in access share mode',
      );
      for (const end = Date.now() + (full ? 20_000 : 3_000); Date.now() < end; await sleep(300)) {
        const added = await addPartitions(postgres, Date.now()).then(
          () => true,
          (error) => {
            if (error instanceof Overloaded) return false;
            throw error;
          },
        );
        if (added) violate('service-broken', 'a day was added under the lock of a dump');
      }
      await dump.query('rollback');
    });
    context.clock();
    await addPartitions(postgres, Date.now());
  });
}

/** A database of a year: sales that are over, and days that are past keeping. Listings cost what they did; old days go. */
async function yearOld(context: FaultContext): Promise<void> {
  const { stand, violate, measure, clock } = context;
  await withPostgres(stand.direct().databaseUrl, async (client) => {
    await client.query(`
      insert into sales (id, starts_at, ends_at, total, user_limit, hourly, retired, sold)
      select 'S-' || lpad(to_hex(n), 10, '0'), now() - n * interval '1 hour', now() - (n - 1) * interval '1 hour', 10000, 10, false, true, 10000
      from generate_series(2, 8760) n on conflict do nothing`);
    await client.query(`
      insert into purchases select 'S-' || lpad(to_hex(n), 10, '0'), 'item-' || i, 'code', 'user' || i, now()
      from generate_series(2, 8760) n, generate_series(1, 30) i on conflict do nothing`);
    for (let days = 31; days < 41; days++)
      await client.query(`select add_attempts_day((now() at time zone 'UTC')::date - ${days})`);
  });
  const agent = newAgent(2);
  const url = stand.urls()[0] as string;
  for (const path of ['/sales', '/sales?status=active', '/sales?status=ended&limit=100', '/sales?limit=1']) {
    const from = Date.now();
    const { status } = await call(agent, url + path);
    measure('listing', Date.now() - from);
    if (status !== 200) violate('unexpected-answer', `${path} of a year is ${status}`);
  }
  agent.destroy();
  await asLeader(context, async (postgres) => {
    await dropOldAttempts(postgres, 30);
    const strays = await countStrayAttempts(postgres);
    if (strays > 0) violate('service-broken', `${strays} attempts are in the default partition`);
  });
  clock();
}

/** What months of operation bring, and a Postgres that answers but cannot do its work. */
export const ageFaults: readonly Fault[] = [
  { name: 'postgres-read-only', stands: ['owned'], inject: readOnly },
  { name: 'postgres-slow-read', stands: ['owned', 'private'], inject: slowRead },
  { name: 'dump-at-midnight', stands: ['owned', 'private'], inject: dumpAtMidnight },
  { name: 'year-old-database', stands: ['owned'], inject: yearOld },
];
