/** The private Redis and Postgres of a campaign, and the faults of that Redis. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startLocalServices } from '../../src/private/services.ts';
import { readDataset } from '../../src/store/fence.ts';
import { keysOf } from '../../src/store/keys.ts';
import { migrate } from '../../src/store/migrate.ts';
import { openPostgres, type Postgres } from '../../src/store/postgres.ts';
import { openRedis, type Redis } from '../../src/store/redis.ts';
import { heldIn, takenIn } from './holdings.ts';
import type { Records } from './model.ts';

export interface ModelStores {
  readonly redis: Redis;
  readonly postgres: Postgres;
  /** The names of the dataset that connections reach now: "run_id:master_replid". */
  dataset(): Promise<string>;
  /** Another dataset, and nothing lost: it becomes a replica and a master again; with `real`, killed and started from its file. */
  restart(real: boolean): Promise<void>;
  /** FLUSHDB: as if it had been emptied; the run id stays. */
  empty(): Promise<void>;
  /** Keeps a copy of a sale's keys. */
  save(saleId: string, copy: number): Promise<void>;
  /** Redis comes back with a copy, which is a restart too. */
  goBack(saleId: string, copy: number): Promise<void>;
  /** Postgres comes back with these records of a sale, which it once had. */
  loseCommits(saleId: string, records: Records): Promise<void>;
  /** Forgets all sales and all copies. */
  clear(): Promise<void>;
  /** Resolves once both stores answer. */
  untilAnswering(): Promise<void>;
  sql(text: string, ...values: unknown[]): Promise<Record<string, unknown>[]>;
  close(): Promise<void>;
}

const RESTORE_SQL = `insert into purchases (sale_id, item_id, unit, stock, code, user_id, purchased_at, withdrawn)
  select $1, $2, $3::int, i.stock, $4, $5, d.decided_at, $6
  from items i, decisions d where i.sale_id = $1 and i.id = $2 and d.code = $4`;

const quiet = { patient: false, onError: () => {} } as const;
/** The model has time: on a busy box a run should wait for Postgres, not end. */
const ANSWER_MS = 20_000;
const POLL_MS = 5;

export async function openModelStores(): Promise<ModelStores> {
  const dataDir = mkdtempSync(join(tmpdir(), 'flashsale-model-'));
  chmodSync(dataDir, 0o755);
  const { redisUrl, databaseUrl, stop } = await startLocalServices({
    dataDir,
    redis: true,
    postgres: true,
    redisServer: process.env.REDIS_SERVER,
    onExit: () => {},
  });
  await migrate(databaseUrl!);
  const real = await openRedis({ url: redisUrl!, ...quiet });
  // Copies lie in another database of the same server, where emptying the first does not reach them.
  const copies = await openRedis({ url: `${redisUrl}/1`, ...quiet });
  const postgres = await openPostgres({
    url: databaseUrl!,
    connectionsMax: 4,
    answerMs: ANSWER_MS,
    ...quiet,
  });
  const sql: ModelStores['sql'] = (text, ...values) => postgres.query({ name: '', text }, values);

  const dataset = async () => (await readDataset(real.command)) as string;
  /** As after a failover and back: the same process, on the same connection, under another replication id. */
  const promote = async () => {
    await real.command('REPLICAOF', '127.0.0.1', '1');
    await real.command('REPLICAOF', 'NO', 'ONE');
  };
  const untilAnswering = async (not?: string) => {
    // While Redis loads its file it says who it is, and nothing else.
    const answers = async () => {
      if (!real.isUp || !copies.isUp || !postgres.isUp) return false;
      const [named, asked] = await Promise.allSettled([dataset(), real.command('DBSIZE')]);
      return asked.status === 'fulfilled' && named.status === 'fulfilled' && named.value !== not;
    };
    while (!(await answers())) await sleep(POLL_MS);
  };
  const kill = async () => {
    const before = await dataset();
    const info = String(await real.command('INFO', 'server'));
    process.kill(Number(/process_id:(\d+)/.exec(info)?.[1]), 'SIGKILL');
    await untilAnswering(before);
  };

  return {
    redis: real,
    postgres,
    sql,
    dataset,
    untilAnswering: () => untilAnswering(),
    async restart(isReal) {
      if (isReal) await kill();
      else await promote();
    },
    async empty() {
      await real.command('FLUSHDB');
    },
    async save(saleId, copy) {
      const keys = Object.values(keysOf(saleId));
      await Promise.all(keys.map((key) => real.command('COPY', key, `${key}:${copy}`, 'DB', '1', 'REPLACE')));
    },
    async goBack(saleId, copy) {
      const keys = Object.values(keysOf(saleId));
      await real.command('DEL', ...keys);
      await Promise.all(keys.map((key) => copies.command('COPY', `${key}:${copy}`, key, 'DB', '0')));
      await promote();
    },
    loseCommits: (saleId, records) => loseCommits(sql, saleId, records),
    async clear() {
      await Promise.all([real.command('FLUSHDB'), copies.command('FLUSHDB')]);
      await sql('truncate sales, items, purchases, decisions, returns, return_counts cascade');
    },
    async close() {
      await Promise.all([real.close(), copies.close(), postgres.close()]);
      await stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** Makes Postgres hold these records of a sale again; what it has read since is gone. */
async function loseCommits(sql: ModelStores['sql'], saleId: string, records: Records): Promise<void> {
  const { epoch, opened, retired, committed, returns } = records;
  const codes = [...committed.keys()];
  await sql('delete from decisions where sale_id = $1 and code <> all($2::text[])', saleId, codes);
  await sql('delete from returns where sale_id = $1 and number > $2', saleId, returns.length);
  await sql('update return_counts set last = $2 where sale_id = $1', saleId, returns.length);
  await sql('delete from purchases where sale_id = $1', saleId);
  for (const [code, { user, lines }] of committed) {
    const one = { decisions: new Map([[code, { user, lines }]]), returns };
    const held = heldIn(one);
    for (const name of takenIn(one)) {
      const [item, unit = '0'] = name.split('@');
      await sql(RESTORE_SQL, saleId, item, Number(unit), code, user, !held.includes(name));
    }
  }
  const { version, paused, limit, startsMs, endsMs } = records.facts;
  await sql(
    `update sales set epoch = $2, opened_epoch = $3, retired = $4, sold = case when $4 then sold end,
       version = $5, paused = $6, user_limit = $7, starts_at = $8, ends_at = $9 where id = $1`,
    ...[saleId, epoch, opened, retired, version, paused, limit, new Date(startsMs), new Date(endsMs)],
  );
}
