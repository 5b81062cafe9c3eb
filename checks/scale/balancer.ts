import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../perf/service.ts';
import { temporaryDir } from '../../test/support/stores.ts';
import { replaceOnce, runNginx } from '../deploy/nginx.ts';

const CONFIG = fileURLToPath(new URL('../../../deploy/nginx.scale.conf', import.meta.url));
/** The addresses that the file names, and the ports there. */
const HOSTS = ['172.30.17.11', '172.30.17.12', '172.30.17.13'];

/** A box as the balancer reaches it. */
export interface Behind {
  readonly port: number;
  /** Of its two workers. */
  readonly workerPorts: readonly [number, number];
}

/** nginx with deploy/nginx.scale.conf before these boxes on loopback; boxes of the file beyond them are left out. Returns its URL. */
export async function startBalancer(boxes: readonly Behind[]): Promise<string> {
  const [dir, port] = [temporaryDir(), await freePort()];
  let text = readFileSync(CONFIG, 'utf8');
  for (const [n, host] of HOSTS.entries()) {
    const box = boxes[n];
    if (box === undefined) text = text.replace(new RegExp(`^ *server ${host}:.*\n`, 'gm'), '');
    else
      for (const [from, to] of [
        [8080, box.port],
        [9000, box.workerPorts[0]],
        [9001, box.workerPorts[1]],
      ])
        text = replaceOnce(text, `server ${host}:${from} `, `server 127.0.0.1:${to} `);
  }
  for (const [from, to] of [
    ['user nginx;\n', ''],
    ['listen 8080 ', `listen 127.0.0.1:${port} `],
    ['/run/nginx.pid', join(dir, 'nginx.pid')],
    ['/dev/stderr', join(dir, 'error.log')],
  ] as const)
    text = replaceOnce(text, from, to);
  writeFileSync(join(dir, 'nginx.conf'), text);
  await runNginx(dir, port);
  return `http://127.0.0.1:${port}`;
}
