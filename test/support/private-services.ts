/** Private servers in a folder of their own for each test of a file; whatever a test has started ends with it. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { createClient } from 'redis';
import { startOf } from '../../src/private/processes.ts';
import { type LocalServices, startLocalServices } from '../../src/private/services.ts';

export let dataDir: string;
export let exits: string[];
/** What each test has started, ended in any case. */
export let started: { services: LocalServices[]; processes: ChildProcess[] };

beforeEach(() => {
  dataDir = realpathSync(mkdtempSync(join(tmpdir(), 'flashsale-services-')));
  chmodSync(dataDir, 0o755);
  exits = [];
  started = { services: [], processes: [] };
});
afterEach(async () => {
  for (const services of started.services) await services.stop();
  for (const child of started.processes) child.kill('SIGKILL');
  for (const pid of serverPids()) await goneWithin(15_000, pid);
  rmSync(dataDir, { recursive: true, force: true });
});

export async function start(options: { dataDir?: string; redis?: boolean; postgres?: boolean } = {}) {
  const services = await startLocalServices({
    dataDir,
    redis: true,
    postgres: true,
    redisServer: undefined,
    onExit: (name, detail) => exits.push(`${name} ${detail}`),
    ...options,
  });
  started.services.push(services);
  return services;
}

/** Runs `hold-services` in a process of its own until it has started or was refused. */
export async function hold(names: string) {
  const script = fileURLToPath(new URL('../private/hold-services.js', import.meta.url));
  const child = fork(script, [dataDir, names]);
  started.processes.push(child);
  const [message] = await once(child, 'message');
  return { child, message: message as { redisUrl?: string; databaseUrl?: string; refused?: string } };
}

export const pidIn = (path: string) => {
  try {
    return [Number.parseInt(readFileSync(join(dataDir, path), 'utf8'), 10)];
  } catch {
    return [];
  }
};
export const serverPids = () => [...pidIn('redis.pid'), ...pidIn('postgres/postmaster.pid')];

export function childrenOf(parent: number) {
  const table = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,command='], { encoding: 'utf8' });
  return [...table.matchAll(/^\s*(\d+)\s+(\d+)\s+(.*)$/gm)]
    .filter((row) => Number(row[2]) === parent && !row[3]!.startsWith('ps '))
    .map((row) => ({ pid: Number(row[1]), command: row[3]! }));
}

export async function within<T>(ms: number, what: string, attempt: () => Promise<T | undefined>): Promise<T> {
  for (const end = Date.now() + ms; Date.now() < end; await sleep(20)) {
    const result = await attempt().catch(() => undefined);
    if (result !== undefined) return result;
  }
  throw new Error(`not within ${ms} ms: ${what}`);
}
export const goneWithin = (ms: number, pid: number) =>
  within(ms, `process ${pid} leaves`, async () => (startOf(pid) === undefined ? true : undefined));

export async function withRedis<T>(
  url: string | undefined,
  work: (client: ReturnType<typeof createClient>) => Promise<T>,
) {
  const client = createClient({ url: url!, socket: { reconnectStrategy: false } });
  client.on('error', () => {});
  await client.connect();
  try {
    return await work(client as ReturnType<typeof createClient>);
  } finally {
    client.destroy();
  }
}
export async function sql(url: string | undefined, text: string) {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

/** Leaves a mark in both servers. */
export async function write(services: { redisUrl?: string | undefined; databaseUrl?: string | undefined }) {
  await withRedis(services.redisUrl, (client) => client.set('mark', 'kept'));
  await sql(services.databaseUrl, `create table mark as select 'kept' as mark`);
}
export async function assertKept(services: {
  redisUrl: string | undefined;
  databaseUrl: string | undefined;
}) {
  assert.equal(await withRedis(services.redisUrl, (client) => client.get('mark')), 'kept');
  assert.deepEqual(await sql(services.databaseUrl, 'select mark from mark'), [{ mark: 'kept' }]);
}
/** Redis writes its file before it answers, unless a sync is just under way: then a moment later. */
export const AOF_MS = 100;
