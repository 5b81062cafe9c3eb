/** A real Alertmanager of one's own, on loopback, with the configuration of monitoring/, and the pager and the chat that it calls. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../perf/service.ts';

export const ALERTMANAGER_CONFIG = fileURLToPath(
  new URL('../../../monitoring/alertmanager/alertmanager.yml', import.meta.url),
);
const READY_MS = 15_000;
const KEY = 'the-key-of-the-pager';

/** What a pager was told: PagerDuty's Events API v2. */
interface Page {
  readonly routing_key: string;
  readonly event_action: 'trigger' | 'resolve';
  readonly payload: { readonly summary: string; readonly custom_details: { readonly runbook: string } };
}

export interface Alertmanager {
  /** host:port */
  readonly address: string;
  readonly pages: readonly Page[];
  /** What the chat was told, as it came. */
  readonly chat: readonly string[];
  stop(): Promise<void>;
}

/** Starts it, except that it calls a pager and a chat of our own, and says at once what it has to say. Its data is in `dir`. */
export async function startAlertmanager(program: string, dir: string): Promise<Alertmanager> {
  const pages: Page[] = [];
  const chat: string[] = [];
  const listener = createServer(async (request, response) => {
    const body = await textOf(request);
    if (request.url === '/pager') pages.push(JSON.parse(body));
    else chat.push(body);
    response.writeHead(request.url === '/pager' ? 202 : 200).end('{"status":"success"}');
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const called = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`;

  mkdirSync(dir);
  const [config, key, chatUrl] = ['alertmanager.yml', 'pager_key', 'chat_url'].map((name) => join(dir, name));
  writeFileSync(key!, KEY);
  writeFileSync(chatUrl!, `${called}/chat`);
  const text = readFileSync(ALERTMANAGER_CONFIG, 'utf8')
    .replace(
      '- routing_key_file: /run/secrets/pager_key',
      `- url: ${called}/pager\n        routing_key_file: ${key}`,
    )
    .replace('/run/secrets/chat_url', chatUrl!)
    .replace(/group_wait: \S+/, 'group_wait: 1s')
    .replace(/group_interval: \S+/, 'group_interval: 1s');
  writeFileSync(config!, text);
  const address = `127.0.0.1:${await freePort()}`;
  const log = openSync(join(dir, 'alertmanager.log'), 'a');
  const options = [`--config.file=${config}`, `--storage.path=${join(dir, 'data')}`];
  const listen = [`--web.listen-address=${address}`, '--cluster.listen-address='];
  const child = spawn(program, [...options, ...listen], { stdio: ['ignore', log, log] });
  const gone = once(child, 'exit');
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await gone;
    listener.close();
    listener.closeAllConnections();
  };

  const end = performance.now() + READY_MS;
  const isReady = () =>
    fetch(`http://${address}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  while (!(await isReady())) {
    if (performance.now() < end && child.exitCode === null) await sleep(50);
    else {
      await stop();
      throw new Error(`Alertmanager did not start:\n${readFileSync(join(dir, 'alertmanager.log'), 'utf8')}`);
    }
  }
  return { address, pages, chat, stop };
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  return text;
}

/** What is wrong with what was paged after these alerts have fired and ended, a sentence each. */
export function wrongPages({ pages, chat }: Alertmanager, ended: string, warning: string): string[] {
  const wrong: string[] = [];
  const about = (name: string, action: Page['event_action']) =>
    pages.find(
      ({ event_action, payload }) => event_action === action && payload.summary.startsWith(`${name}: `),
    );
  const page = about(ended, 'trigger');
  if (page === undefined) wrong.push(`nobody was paged for ${ended}`);
  else {
    if (page.routing_key !== KEY) wrong.push(`the page for ${ended} has another key`);
    if (page.payload.custom_details.runbook !== `docs/runbook.md#${ended.toLowerCase()}`)
      wrong.push(`the page for ${ended} names no heading: ${JSON.stringify(page.payload)}`);
  }
  if (about(ended, 'resolve') === undefined) wrong.push(`the end of ${ended} was not told to the pager`);
  if (about(warning, 'trigger')) wrong.push(`somebody was woken by ${warning}`);
  if (!chat.some((text) => text.includes(warning))) wrong.push(`the chat was not told of ${warning}`);
  return wrong;
}
