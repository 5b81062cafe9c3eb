import pg from 'pg';
import { readMigrations } from './files.ts';

/** Any number will do, as long as every release uses the same: "flashsale" in the spirit of a hash. */
const MIGRATION_LOCK = 7_201_604;

/**
 * Brings the schema up to date: numbered forward-only migrations, each in a transaction of its own, under one
 * advisory lock so that several boxes may start at once. Returns the names of the migrations that ran.
 */
export async function migrate(url: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: url, application_name: 'flashsale migrate' });
  await client.connect();
  try {
    await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await client.query(
      'create table if not exists migrations (number integer primary key, name text not null, ran_at timestamptz not null default now())',
    );
    const { rows } = await client.query<{ number: number }>('select number from migrations');
    const done = new Set(rows.map((row) => row.number));
    const ran: string[] = [];
    for (const [number, name, text] of readMigrations()) {
      if (done.has(number)) continue;
      await client.query(
        `begin;\n${text};\ninsert into migrations (number, name) values (${number}, '${name}');\ncommit`,
      );
      ran.push(name);
    }
    return ran;
  } finally {
    await client.end();
  }
}
