import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { SetupError } from '../config.ts';
import { readMigrations } from './files.ts';
import { clientOf } from './postgres-hosts.ts';
import { meaningOf } from './sqlstates.ts';

/** Any number will do, as long as every release uses the same: "flashsale" in the spirit of a hash. */
const MIGRATION_LOCK = 7_201_604;
/**
 * How long a table is waited for at a time. Boxes of the release before may sell meanwhile, and wait behind us: this is less than
 * their commits may take.
 */
const LOCK_MS = 500;
/** Between two tries: most of the time is the others'. */
const RETRY_MS = 1_000;
/** For some 90 s: a dump of a table that is large takes longer, and a person should know. */
const TRIES = 60;
/** Another box may be migrating, and gives up by itself after its tries. */
const TURN_MS = 120_000;

/**
 * Brings the schema up to date: numbered forward-only migrations, each in a transaction of its own, under one
 * advisory lock so that several boxes may start at once. Returns the names of the migrations that ran. Throws a SetupError when
 * somebody, a dump perhaps, holds a table for too long, or another box does not end its migrations.
 */
export async function migrate(url: string): Promise<string[]> {
  const client = new (clientOf(url))({
    connectionString: url,
    application_name: 'flashsale migrate',
  });
  // A query that fails says so itself.
  client.on('error', () => {});
  await client.connect();
  try {
    await takeTurn(client);
    await client.query(
      'create table if not exists migrations (number integer primary key, name text not null, ran_at timestamptz not null default now())',
    );
    const { rows } = await client.query<{ number: number }>('select number from migrations');
    const done = new Set(rows.map((row) => row.number));
    const ran: string[] = [];
    for (const [number, name, text] of readMigrations()) {
      if (done.has(number)) continue;
      const note = `insert into migrations (number, name) values (${number}, '${name}')`;
      await runMigration(client, name, `${text};\n${note}`);
      ran.push(name);
    }
    return ran;
  } finally {
    await client.end();
  }
}

const isBusy = (error: unknown): boolean =>
  error instanceof pg.DatabaseError && meaningOf(error.code ?? '') === 'busy';

async function takeTurn(client: pg.Client): Promise<void> {
  try {
    await client.query(`set lock_timeout = ${TURN_MS}`);
    await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
  } catch (error) {
    if (!isBusy(error)) throw error;
    throw new SetupError(
      'Another box has been migrating this database for two minutes. Look for its session in pg_stat_activity (application_name "flashsale migrate").',
    );
  }
}

async function runMigration(client: pg.Client, name: string, text: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await client.query(`begin;\nset local lock_timeout = ${LOCK_MS};\n${text};\ncommit`);
      return;
    } catch (error) {
      await client.query('rollback');
      if (!isBusy(error)) throw error;
      if (tries === TRIES)
        throw new SetupError(
          `The migration ${name} waits for a table that another session of Postgres holds, a dump perhaps. End that session, or start again later.`,
        );
    }
    await sleep(RETRY_MS);
  }
}
