import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../perf/service.ts';
import { preparePostgres } from '../../src/private/postgres.ts';
import { postgresUrl } from '../../src/private/postgres-cluster.ts';
import { withPostgres } from './dumps.ts';
import { type OwnedServer, ownServer, PASSWORD } from './stores.ts';
import { until } from './until.ts';

const REPLICATES = ['-c', 'wal_level=replica', '-c', 'max_wal_senders=4'];
const IN_STEP_MS = 30_000;

/** A Postgres whose commits wait for its standby, which is a copy that follows it. */
export interface PostgresPair {
  readonly primary: OwnedServer;
  readonly standby: OwnedServer;
  /** Of the primary and of the standby. */
  readonly urls: readonly [string, string];
  /** What the service is told: both, the standby first. */
  readonly url: string;
  /** Resolves when commits wait for the standby. */
  inStep(): Promise<void>;
  /** Makes the standby a primary; it waits for nobody. */
  promote(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts both in `dir`; `prepare` does something with the first one before the second is copied from it. */
export async function startPostgresPair(
  dir: string,
  prepare: (url: string) => Promise<unknown> = async () => {},
): Promise<PostgresPair> {
  const dirs = [join(dir, 'first'), join(dir, 'second')] as const;
  for (const each of dirs) mkdirSync(each, { recursive: true });
  const ports = [await freePort(), await freePort()] as const;
  const first = await preparePostgres(dirs[0], ports[0], { value: PASSWORD, isNew: true });
  const urls = [postgresUrl(ports[0], PASSWORD), postgresUrl(ports[1], PASSWORD)] as const;
  const alone = ownServer({ ...first, args: [...first.args, ...REPLICATES] });
  await alone.start();
  await prepare(urls[0]);
  await alone.kill('SIGINT');
  // With its owner, who is not ours when we are root.
  execFileSync('cp', ['-a', `${dirs[0]}/postgres`, `${dirs[1]}/postgres`]);
  execFileSync('cp', ['-a', `${dirs[0]}/postgres/PG_VERSION`, `${dirs[1]}/postgres/standby.signal`]);
  const second = await preparePostgres(dirs[1], ports[1], { value: PASSWORD, isNew: false });
  const follow = `primary_conninfo=host=127.0.0.1 port=${ports[0]} user=flashsale password=${PASSWORD}`;
  const primary = ownServer({
    ...first,
    args: [...first.args, ...REPLICATES, '-c', 'synchronous_standby_names=*'],
  });
  const standby = ownServer({ ...second, args: [...second.args, ...REPLICATES, '-c', follow] });
  await Promise.all([primary.start(), standby.start()]);
  const ask = (url: string, sql: string) =>
    withPostgres(url, async (client) => (await client.query(sql)).rows[0]?.is);
  return {
    primary,
    standby,
    urls,
    url: `${urls[0].replace(/@[^/]*/, `@127.0.0.1:${ports[1]},127.0.0.1:${ports[0]}`)}?target_session_attrs=read-write`,
    inStep: () =>
      until(
        async () => (await ask(urls[0], 'select sync_state as is from pg_stat_replication')) === 'sync',
        'commits wait for the standby',
        IN_STEP_MS,
      ),
    async promote() {
      if ((await ask(urls[1], 'select pg_promote() as is')) !== true) throw new Error('it was not promoted');
    },
    async stop() {
      await Promise.all([primary.kill('SIGQUIT'), standby.kill('SIGQUIT')]);
    },
  };
}
