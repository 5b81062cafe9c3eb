import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { atEnd } from '../../test/support/at-end.ts';
import { until } from '../../test/support/processes.ts';
import { freePort } from '../../test/support/service.ts';
import { temporaryDir } from '../../test/support/stores.ts';

const CONFIG = fileURLToPath(new URL('../../../deploy/nginx.conf', import.meta.url));

/** nginx with deploy/nginx.conf in front of services on this box; ended with the file. */
export interface Nginx {
  /** https:// */
  readonly url: string;
  /** Where it sends what comes by plain HTTP. */
  readonly plainUrl: string;
  /** Loads its configuration again, as `systemctl reload nginx` does. */
  reload(): void;
  /** Its access log so far. */
  accessLog(): Record<string, unknown>[];
  errorLog(): string;
}

export interface NginxOptions {
  /** Ports of the service in the place of 8080 and 8081. */
  readonly upstream: readonly [number, number];
  /** In the place of `rate=50r/s`: the checks come from one address. */
  readonly rate?: string;
}

/** Replaces text that occurs exactly once, so that the check uses the file that we ship. */
export function replaceOnce(text: string, from: string, to: string): string {
  assert.equal(text.split(from).length, 2, `"${from}" is not exactly once in deploy/nginx.conf`);
  return text.replace(from, to);
}

/** Runs nginx on `dir`/nginx.conf until it listens on `port`; ended with the file. */
export async function runNginx(dir: string, port: number): Promise<ChildProcess> {
  assert.ok(existsSync('/usr/sbin/nginx'), 'there is no nginx: apt-get install nginx-light');
  chmodSync(dir, 0o755);
  mkdirSync(join(dir, 'logs'));
  const args = ['-p', dir, '-c', join(dir, 'nginx.conf')];
  const tested = spawnSync('/usr/sbin/nginx', ['-t', ...args], { encoding: 'utf8' });
  assert.equal(tested.status, 0, tested.stderr);
  assert.doesNotMatch(tested.stderr, /\[(warn|error|emerg)\]/);

  const child = spawn('/usr/sbin/nginx', [...args, '-g', 'daemon off;'], { stdio: 'inherit' });
  const exit = once(child, 'exit');
  atEnd(async () => {
    child.kill('SIGQUIT');
    await exit;
  });
  await until(
    'nginx listens',
    () => spawnSync('bash', ['-c', `: < /dev/tcp/127.0.0.1/${port}`]).status === 0,
  );
  return child;
}

export async function startNginx({ upstream, rate = '50r/s' }: NginxOptions): Promise<Nginx> {
  const dir = temporaryDir();
  const at = (name: string) => join(dir, name);
  const [tls, plain] = [await freePort(), await freePort()];
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '1',
      '-subj',
      '/CN=localhost',
      '-keyout',
      at('key.pem'),
      '-out',
      at('fullchain.pem'),
    ],
    { stdio: 'pipe' },
  );
  const changes: [from: string, to: string][] = [
    ['127.0.0.1:8080', `127.0.0.1:${upstream[0]}`],
    ['127.0.0.1:8081', `127.0.0.1:${upstream[1]}`],
    ['listen 443 ', `listen 127.0.0.1:${tls} `],
    ['listen 80 ', `listen 127.0.0.1:${plain} `],
    ['https://$host$', `https://$host:${tls}$`],
    ['rate=50r/s', `rate=${rate}`],
    ['/run/nginx.pid', at('nginx.pid')],
    ['/var/log/nginx/error.log', at('error.log')],
    ['/var/log/nginx/access.log', at('access.log')],
    ['/etc/ssl/flashsale/fullchain.pem', at('fullchain.pem')],
    ['/etc/ssl/flashsale/key.pem', at('key.pem')],
  ];
  const text = changes.reduce(
    (config, change) => replaceOnce(config, ...change),
    readFileSync(CONFIG, 'utf8'),
  );
  writeFileSync(at('nginx.conf'), text);
  const child = await runNginx(dir, tls);
  return {
    url: `https://127.0.0.1:${tls}`,
    plainUrl: `http://127.0.0.1:${plain}`,
    reload: () => void child.kill('SIGHUP'),
    accessLog: () =>
      readFileSync(at('access.log'), 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line)),
    errorLog: () => readFileSync(at('error.log'), 'utf8'),
  };
}
