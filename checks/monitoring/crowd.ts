/** What the check does to a service so that every figure has samples: a crowd, rare requests, faults. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openConnection } from '../../perf/client.ts';
import { createSale, listItems } from '../../perf/shop.ts';

const LOAD = fileURLToPath(new URL('../../perf/load.js', import.meta.url));

/** `npm run perf -- load realistic light` on the service of a data directory; its exit code and its output. */
export async function letInCrowd(dataDir: string, seconds: number): Promise<{ code: number; said: string }> {
  const args = [LOAD, 'realistic', 'light', '--seconds', String(seconds)];
  const child = spawn(process.execPath, args, { env: { ...process.env, DATA_DIR: dataDir } });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => {
      said += text;
    });
  const [code] = await once(child, 'exit');
  return { code, said };
}

/** One of each answer that a crowd rarely gets: sold out, spent, repeated, unknown, malformed. */
export async function askRarely(url: string): Promise<void> {
  const connection = openConnection(url);
  const post = async (target: string, headers = {}) => (await connection.post(target, '', headers)).body;
  const { id: sale } = await createSale(url, 2, 10);
  const [first, second] = await listItems(url, sale, false);
  const checkOut = (user: string, item?: string) =>
    post(`/checkout?user_id=${user}&id=${item}&sale_id=${sale}`);
  const codeOf = (body: string) => (JSON.parse(body) as { code: string }).code;

  const winner = codeOf(await checkOut('ada', first));
  const loser = codeOf(await checkOut('bob', first));
  await checkOut('bob', first);
  await checkOut('bob', 'unknown');
  await post(`/purchase?code=${winner}`);
  await post(`/purchase?code=${winner}`);
  await post(`/purchase?code=${winner}`, { 'Idempotency-Key': '1' });
  await post(`/purchase?code=${loser}`);
  await post('/purchase?code=unknown');
  await checkOut('cem', first);
  await post(`/purchase?code=${codeOf(await checkOut('dan', second))}`);
  await sleep(100);
  for (let n = 0; n < 20; n++) await checkOut('eve', first);
  for (const path of [`/purchases/${winner}`, `/sales/${sale}`, '/sales', '/health', '/nowhere'])
    await connection.request('GET', path);
  connection.close();
}

/** What only some sales have: a buyer before his turn, and a purchase that waits for its payment. */
export async function askInTurn(url: string): Promise<void> {
  const post = async (target: string, body?: object) => {
    const headers = { 'Content-Type': 'application/json' };
    const answer = await fetch(url + target, { method: 'POST', headers, body: JSON.stringify(body ?? {}) });
    return (await answer.json()) as { readonly code: string; readonly data: { readonly id: string } };
  };
  const newSale = async (facts: object) => (await post('/admin/sales', { total_items: 2, ...facts })).data.id;
  const checkOut = async (sale: string) => {
    const [item] = await listItems(url, sale, false);
    return post(`/checkout?user_id=ada&id=${item}&sale_id=${sale}`);
  };
  const queued = await newSale({ queue: { admit_per_second: 0 } });
  await post(`/queue?user_id=ada&sale_id=${queued}`);
  for (let n = 0; n < 5; n++) await checkOut(queued);
  const { code } = await checkOut(await newSale({ payment_seconds: 900 }));
  await post(`/purchase?code=${code}`);
}

/** SIGKILL for one worker. */
export async function killWorker(url: string): Promise<void> {
  const connection = openConnection(url);
  const { body } = await connection.request('GET', '/health');
  connection.close();
  const { workers } = JSON.parse(body) as { workers: { pid: number }[] };
  process.kill((workers[0] as { pid: number }).pid, 'SIGKILL');
}

/** Stops the private Redis of a data directory for a while, and resumes it in any case. */
export async function pauseRedis(dataDir: string, work: () => Promise<void>): Promise<void> {
  const pid = Number.parseInt(readFileSync(join(dataDir, 'redis.pid'), 'utf8'), 10);
  process.kill(pid, 'SIGSTOP');
  try {
    await work();
  } finally {
    process.kill(pid, 'SIGCONT');
  }
}
