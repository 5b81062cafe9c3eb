/** A private, real Prometheus with the rules of monitoring/, on loopback and a free port, removed afterwards. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../perf/service.ts';

/** monitoring/prometheus of the repository. */
export const CONFIG_DIR = fileURLToPath(new URL('../../../monitoring/prometheus', import.meta.url));
const READY_MS = 15_000;

export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Rule {
  readonly name: string;
  readonly type: 'alerting' | 'recording';
  readonly query: string;
  readonly health: string;
  readonly lastError?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Of an alert: `inactive`, `pending` or `firing`. */
  readonly state?: string;
  readonly alerts?: readonly { readonly annotations: Readonly<Record<string, string>> }[];
}

export interface Prometheus {
  /** The value of an expression now, samples that are no number left out. Throws when it is not understood. */
  query(expr: string): Promise<Sample[]>;
  rules(): Promise<Rule[]>;
  /** Every metric's name that it has seen. */
  names(): Promise<Set<string>>;
  /** Makes every alert fire after 2 s instead of its `for`. */
  hurry(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts it on the committed configuration, except that it scrapes `target` (host:port), each second, and tells the
 * Alertmanager at `pager` (host:port). Its data is in `dir`.
 */
export async function startPrometheus(
  program: string,
  dir: string,
  target: string,
  pager: string,
): Promise<Prometheus> {
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const config = join(dir, 'prometheus.yml');
  mkdirSync(dir);
  cpSync(CONFIG_DIR, dir, { recursive: true });
  edit(config, (text) =>
    text
      .replace('flashsale:8080', target)
      .replace(/dns_sd_configs:[\s\S]*?\n\n/, `static_configs: [{ targets: ["${pager}"] }]\n\n`)
      .replace('localhost:9090', `127.0.0.1:${port}`)
      .replace(/(_interval:) 5s/g, '$1 1s')
      .replace('scrape_timeout: 3s', 'scrape_timeout: 1s'),
  );
  const log = openSync(join(dir, 'prometheus.log'), 'a');
  const options = ['--config.file', config, '--storage.tsdb.path', join(dir, 'tsdb')];
  const child = spawn(program, [...options, `--web.listen-address=127.0.0.1:${port}`], {
    stdio: ['ignore', log, log],
  });
  const gone = once(child, 'exit');
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await gone;
  };

  const get = async <T>(path: string, params: Readonly<Record<string, string>> = {}): Promise<T> => {
    const reply = await fetch(`${base}/api/v1/${path}?${new URLSearchParams(params)}`);
    const body = (await reply.json()) as { status: string; data: T; error?: string };
    if (body.status !== 'success') throw new Error(`${body.error}: ${params.query ?? path}`);
    return body.data;
  };

  const end = performance.now() + READY_MS;
  while (
    !(await fetch(`${base}/-/ready`).then(
      (reply) => reply.ok,
      () => false,
    ))
  ) {
    if (performance.now() < end && child.exitCode === null) await sleep(50);
    else {
      await stop();
      throw new Error(`Prometheus did not start:\n${readFileSync(join(dir, 'prometheus.log'), 'utf8')}`);
    }
  }

  return {
    async query(query) {
      type Raw = { metric: Record<string, string>; value: [number, string] };
      const { result } = await get<{ result: Raw[] }>('query', { query });
      return result
        .map(({ metric, value }) => ({ metric, value: Number(value[1]) }))
        .filter(({ value }) => !Number.isNaN(value));
    },
    async rules() {
      const { groups } = await get<{ groups: { rules: Rule[] }[] }>('rules');
      return groups.flatMap(({ rules }) => rules);
    },
    names: async () => new Set(await get<string[]>('label/__name__/values')),
    async hurry() {
      for (const name of readdirSync(join(dir, 'rules')))
        edit(join(dir, 'rules', name), (text) => text.replace(/^( +for:) \S+$/gm, '$1 2s'));
      child.kill('SIGHUP');
    },
    stop,
  };
}

const edit = (path: string, change: (text: string) => string): void =>
  writeFileSync(path, change(readFileSync(path, 'utf8')));
