import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { atEnd } from '../../test/support/at-end.ts';
import { signalAll, treeOf, until } from '../../test/support/processes.ts';

const VERSIONS = '/usr/lib/postgresql';

/** Debian's PostgreSQL, with the tools that the private one lacks: pg_dump, pg_basebackup, pg_receivewal. */
function binary(name: string): string {
  const version = existsSync(VERSIONS)
    ? readdirSync(VERSIONS).sort((a, b) => Number(b) - Number(a))[0]
    : undefined;
  const path = join(VERSIONS, version ?? '', 'bin', name);
  assert.ok(version !== undefined && existsSync(path), `there is no ${name}: apt-get install postgresql`);
  return path;
}

// PostgreSQL refuses to be root.
const asUser = (command: readonly string[]) =>
  process.getuid?.() === 0
    ? ['setpriv', '--reuid=postgres', '--regid=postgres', '--init-groups', ...command]
    : [...command];

/** Runs one of PostgreSQL's tools to its end. */
export function runTool(name: string, args: readonly string[]): string {
  const [program = '', ...words] = asUser([binary(name), ...args]);
  const { status, stdout, stderr } = spawnSync(program, words, { encoding: 'utf8', maxBuffer: 2 ** 26 });
  assert.equal(status, 0, `${name} ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** Starts one of PostgreSQL's tools that runs until it is stopped; ended with the file. */
export function startTool(name: string, args: readonly string[]): ChildProcess {
  const [program = '', ...words] = asUser([binary(name), ...args]);
  const child = spawn(program, words, { stdio: ['ignore', 'ignore', 'inherit'] });
  const exit = once(child, 'exit');
  atEnd(async () => {
    child.kill('SIGKILL');
    await exit;
  });
  return child;
}

/** A folder of PostgreSQL's own; it refuses one that others may enter. */
export function makeFolder(path: string): string {
  mkdirSync(path, { mode: 0o700 });
  if (process.getuid?.() === 0) spawnSync('chown', ['postgres:postgres', path]);
  return path;
}

export interface Server {
  readonly url: string;
  /** Ends all its processes at once, as a power cut would. */
  kill(): Promise<void>;
  /** Whether it runs no more. */
  hasLeft(): boolean;
  start(): Promise<void>;
}

/** Makes a cluster in `dir` with an empty database `flashsale`, with these lines behind its configuration, and starts it. */
export async function startCluster(
  dir: string,
  port: number,
  settings: readonly string[] = [],
): Promise<Server> {
  makeFolder(dir);
  runTool('initdb', [
    '-D',
    dir,
    '-U',
    'flashsale',
    '--auth=trust',
    '--no-sync',
    '-E',
    'UTF8',
    '--locale=C.UTF-8',
  ]);
  appendFileSync(join(dir, 'postgresql.conf'), `${settings.join('\n')}\n`);
  const server = await startServer(dir, port);
  runTool('createdb', ['-h', '127.0.0.1', '-p', String(port), '-U', 'flashsale', 'flashsale']);
  return server;
}

/** Starts the server of a cluster that is there. */
export async function startServer(dir: string, port: number): Promise<Server> {
  const at = ['-h', '127.0.0.1', '-p', String(port), '-U', 'flashsale'];
  let child: ChildProcess;
  const start = async () => {
    const [program = '', ...words] = asUser([
      binary('postgres'),
      '-D',
      dir,
      '-p',
      String(port),
      '-k',
      '',
      '-c',
      'listen_addresses=127.0.0.1',
    ]);
    child = spawn(program, words, { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr!.setEncoding('utf8').on('data', (text) => {
      said = (said + text).slice(-4_000);
    });
    const query = ['-d', 'postgres', '-Atc', 'select not pg_is_in_recovery()'];
    const answers = until('PostgreSQL answers', () => runTool('psql', [...at, ...query]).trim() === 't');
    const gone = once(child, 'exit').then(() => assert.fail(`PostgreSQL left: ${said}`));
    gone.catch(() => {}); // one that is ended later
    await Promise.race([answers, gone]);
  };
  const hasLeft = () => child.exitCode !== null || child.signalCode !== null;
  const kill = async () => {
    if (hasLeft()) return;
    const exit = once(child, 'exit');
    signalAll(treeOf(child.pid!), 'SIGKILL');
    await exit;
  };
  atEnd(kill);
  await start();
  return { url: `postgres://flashsale@127.0.0.1:${port}/flashsale`, kill, hasLeft, start };
}
