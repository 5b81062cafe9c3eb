/**
 * The baseline: a cluster that answers every request with the same bytes as an accepted
 * checkout, with node:http alone or with Hono. `node dist/perf/baseline.js bare|hono`, started by the suite.
 */
import { type ChildProcess, fork } from 'node:child_process';
import cluster from 'node:cluster';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';

export type BaselineKind = 'bare' | 'hono';

const BODY =
  '{"code":"CHK-S-346f14ca9c-86c3077e2c9caf40af4e89a7286c3b53","items_count":1,"sale_ends_at":"2026-11-23T23:00:00Z"}';
const HEADERS = {
  'Content-Type': 'application/json',
  'Content-Length': String(BODY.length),
  'X-Request-Id': '6a030a170bb8-2',
};

/** A baseline that runs: where, and how to stop it. */
export interface Baseline {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Starts a baseline with that many workers on a free port. */
export async function startBaseline(kind: BaselineKind, workers: number): Promise<Baseline> {
  const child: ChildProcess = fork(fileURLToPath(import.meta.url), [kind, String(workers)]);
  const [port] = (await once(child, 'message')) as [number];
  const stop = async () => {
    child.kill();
    await once(child, 'exit');
  };
  return { url: `http://127.0.0.1:${port}`, pid: child.pid as number, stop };
}

function serve(kind: string): void {
  const hono = new Hono();
  hono.post('/checkout', () => new Response(BODY, { headers: HEADERS }));
  const listener =
    kind === 'hono'
      ? getRequestListener(hono.fetch)
      : (_: unknown, res: import('node:http').ServerResponse) => void res.writeHead(200, HEADERS).end(BODY);
  createServer({ keepAliveTimeout: 65_000, noDelay: true }, listener).listen(0, '127.0.0.1');
}

async function runCluster(workers: number): Promise<void> {
  const all = Array.from({ length: workers }, () => cluster.fork());
  const addresses = await Promise.all(
    all.map(async (worker) => (await once(worker, 'listening'))[0] as AddressInfo),
  );
  process.send?.(addresses[0]?.port);
  process.on('disconnect', () => process.exit());
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (cluster.isPrimary) await runCluster(Number(process.argv[3]));
  else serve(process.argv[2] ?? 'bare');
}
