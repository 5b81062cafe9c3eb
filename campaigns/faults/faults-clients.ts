import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault, FaultContext } from './faults.ts';
import { newAgent } from './http.ts';
import { checkout, purchase } from './operations.ts';
import { type Random, seeded } from './random.ts';
import type { Service } from './service.ts';

const STORM_POSTS = 100;
const SLOW_CLIENTS = 200;
const GARBAGE = 2_000;

/** One code, posted a hundred times at once, over connections of their own. */
async function storm({ target, items, random, clock }: FaultContext): Promise<void> {
  for (let storms = 0; storms < 4; storms++) {
    const agent = newAgent(STORM_POSTS);
    const user = `storm-${storms}`;
    let code: string | undefined;
    for (let line = 0; line < 3; line++)
      code = (await checkout(target, agent, user, random.pick(items))).code ?? code;
    if (code === undefined) continue;
    const posts = Array.from({ length: STORM_POSTS }, (_, n) =>
      purchase(target, agent, user, code, n % 3 === 0),
    );
    await Promise.all(posts);
    agent.destroy();
    clock();
  }
}

/** What a raw connection answers until it is closed, or for the given time. */
async function readAll(socket: Socket, waitMs: number): Promise<{ text: string; closed: boolean }> {
  let text = '';
  socket.on('data', (bytes) => {
    text += bytes;
  });
  socket.on('error', () => {});
  const closed = await Promise.race([once(socket, 'close').then(() => true), sleep(waitMs, false)]);
  socket.destroy();
  return { text, closed };
}

const raw = (service: Service): Socket =>
  connect({ port: Number(new URL(service.url).port), host: '127.0.0.1' });

/** Clients that send a byte now and then: each is closed, and nobody else notices. */
async function slowClients({ stand, violate, clock }: FaultContext): Promise<void> {
  const service = stand.services[0] as Service;
  const ends = Array.from({ length: SLOW_CLIENTS }, async (_, n) => {
    const socket = raw(service);
    const drip = setInterval(() => socket.writable && socket.write(n % 2 ? 'X-A: b\r\n' : 'P'), 500);
    socket.on('error', () => {});
    socket.write(n % 2 ? 'GET /livez HTTP/1.1\r\nHost: a\r\n' : '');
    const { closed } = await readAll(socket, 9_000);
    clearInterval(drip);
    return closed;
  });
  const open = (await Promise.all(ends)).filter((closed) => !closed).length;
  if (open > 0) violate('unexpected-answer', `${open} of ${SLOW_CLIENTS} slow clients were never closed`);
  clock();
}

/** What no client should send. */
function garbage(random: Random): Buffer {
  const noise = Buffer.from(Array.from({ length: random.between(1, 400) }, () => random.between(0, 255)));
  const text = (value: string) => Buffer.from(value, 'latin1');
  return random.pick([
    noise,
    text(`POST /checkout?user_id=%ZZ&id=${'x'.repeat(random.between(0, 9_000))} HTTP/1.1\r\nHost: a\r\n\r\n`),
    text(
      `POST /purchase?code=${noise.toString('latin1').replace(/[\r\n ]/g, '')} HTTP/1.1\r\nHost: a\r\n\r\n`,
    ),
    text(
      'POST /purchase HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ),
    text(`GET /${'../'.repeat(20)}etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n`),
    text('GET / HTTP/9.9\r\n\r\n'),
    text(
      `POST /admin/sales HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"a":[[[[`,
    ),
    text(`GET /sales HTTP/1.1\r\nHost: \x00\r\nX: ${'y'.repeat(9_000)}\r\n\r\n`),
  ]);
}

/** Raw garbage: 4xx or a closed connection; no crash, and no internals in a body. */
async function malformed({ stand, random, violate, clock }: FaultContext): Promise<void> {
  const service = stand.services[0] as Service;
  const workers = service.workers().join();
  const seeds = Array.from({ length: GARBAGE }, () => random.between(1, 2 ** 30));
  await Promise.all(
    Array.from({ length: 20 }, async (_, n) => {
      for (let i = n; i < seeds.length; i += 20) {
        const socket = raw(service);
        socket.end(garbage(seeded(seeds[i] as number)));
        const { text } = await readAll(socket, 2_000);
        const status = Number(/^HTTP\/1.1 (\d+)/.exec(text)?.[1] ?? 400);
        const leaks = /\n\s+at |node_modules|node:internal|select |postgres:\/\//.test(text);
        if (status >= 500 || leaks)
          violate('unexpected-answer', `garbage ${seeds[i]}: ${text.slice(0, 300)}`);
      }
    }),
  );
  if (service.workers().join() !== workers) violate('service-broken', 'a worker died of garbage');
  clock();
}

export const clientFaults: readonly Fault[] = [
  { name: 'same-code-storm', stands: ['private', 'owned'], noFailures: true, inject: storm },
  { name: 'slow-clients', stands: ['private'], noFailures: true, inject: slowClients },
  {
    // Every worker's filter answers "maybe" to everything (kill-hooks.ts): nothing but slowness may come of it.
    name: 'filter-maybe',
    stands: ['private'],
    noFailures: true,
    env: { FAULT_FILTER: 'maybe' },
    inject: () => sleep(1_000),
  },
  { name: 'malformed', stands: ['private'], noFailures: true, inject: malformed },
];
