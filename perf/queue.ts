/**
 * What a queue costs: to join, and to be refused, beside a checkout that is refused from memory, in alternating rounds of one
 * worker; what drawing a lot and reading a ticket take; and what so many buyers take of Redis. `npm run perf -- queue` (3 min).
 */
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { lotOf } from '../src/door/queue/draw.ts';
import { createMac } from '../src/door/queue/mac.ts';
import { readTicket, writeTicket } from '../src/door/queue/ticket.ts';
import { queueKeysOf } from '../src/store/keys.ts';
import { createJoins } from '../src/store/queue/joins.ts';
import { readLiveSales } from '../src/store/sales.ts';
import { openConnection } from './client.ts';
import { openStores, readCount, runCommand, type Stores, UsageError } from './command.ts';
import { findOha, runOha } from './oha.ts';
import { makeDataDir, type OwnService, startService } from './service.ts';
import { listItems, timeAt } from './shop.ts';
import { cpuOfTree, cpuPerRequest } from './usage.ts';

const SECONDS = 2.5;
const LISTEN_S = 10;
/** Buyers whose joining is under way at a time. */
const AT_ONCE = 2_048;
const MIB = 1 << 20;

const print = (name: string, value: string) => console.log(`${name.padEnd(58)}${value.padStart(22)}`);
const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] as number;

async function newSale(url: string, body: object): Promise<string> {
  const connection = openConnection(url);
  const times = { started_at: timeAt(-1_000), ended_at: timeAt(3_600_000) };
  const reply = await connection.post('/admin/sales', JSON.stringify({ ...times, ...body }));
  connection.close();
  if (reply.status !== 201) throw new UsageError(`no sale could be made: ${reply.status} ${reply.body}`);
  return (JSON.parse(reply.body) as { data: { id: string } }).data.id;
}

/** µs of CPU of one call, the best of some rounds. */
function costOf(work: (i: number) => unknown): number {
  const CALLS = 20_000;
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 7; round++) {
    const began = process.cpuUsage();
    for (let i = 0; i < CALLS; i++) work(i);
    const { user, system } = process.cpuUsage(began);
    best = Math.min(best, (user + system) / CALLS);
  }
  return best;
}

function measureTickets(): void {
  const key = createMac('11'.repeat(32));
  const ticket = (i: number) => ({ saleId: 'S-3f9a1c22b7', user: `buyer-${i}`, number: i });
  const texts = Array.from({ length: 20_000 }, (_, i) => writeTicket(key, ticket(i)));
  print('a lot', `${costOf((i) => lotOf(key, `buyer-${i}`)).toFixed(2)} µs`);
  print('to sign a ticket', `${costOf((i) => writeTicket(key, ticket(i))).toFixed(2)} µs`);
  print('to read one', `${costOf((i) => readTicket(key, texts[i] as string)).toFixed(2)} µs`);
}

/** Rates of the kinds of request, each round in turn, and their quotients with the first kind. */
async function measureRequests({ url }: OwnService, rounds: number): Promise<void> {
  const oha = findOha();
  const plain = await newSale(url, { total_items: 1 });
  const queued = await newSale(url, { total_items: 10, queue: { admit_per_second: 0 } });
  const early = await newSale(url, {
    ...{ total_items: 1, queue: { admit_per_second: 0 } },
    ...{ started_at: timeAt(1_800_000), ended_at: timeAt(3_600_000) },
  });
  const [sold] = (await listItems(url, plain, true)) as [string];
  const [item] = (await listItems(url, queued, true)) as [string];
  const buyer = openConnection(url);
  const cart = await buyer.request('POST', `/checkout?user_id=ada&id=${sold}&sale_id=${plain}`);
  await buyer.request('POST', `/purchase?code=${(JSON.parse(cart.body) as { code: string }).code}`);
  const { ticket } = JSON.parse(
    (await buyer.request('POST', `/queue?user_id=ada&sale_id=${queued}`)).body,
  ) as {
    ticket: string;
  };
  buyer.close();
  const user = 'u[a-z0-9]{12}';
  const kinds: readonly [name: string, pattern: string, status: string][] = [
    ['refused: sold out', `/checkout[?]user_id=${user}&id=${sold}&sale_id=${plain}`, '409'],
    ['joined, before the start', `/queue[?]user_id=${user}&sale_id=${early}`, '200'],
    ['joined again', `/queue[?]user_id=ada&sale_id=${queued}`, '200'],
    ['joined, later', `/queue[?]user_id=${user}&sale_id=${queued}`, '200'],
    ['not admitted, without a ticket', `/checkout[?]user_id=${user}&id=${item}&sale_id=${queued}`, '403'],
    [
      'not admitted, with a ticket',
      `/checkout[?]user_id=ada&id=${item}&sale_id=${queued}&ticket=${ticket.replaceAll('.', '[.]')}`,
      '403',
    ],
  ];
  const rates = kinds.map((): number[] => []);
  for (let round = 0; round < rounds; round++)
    for (const [i, [name, pattern, status]] of kinds.entries()) {
      const { perSecond, statuses, errors } = await runOha(oha, url + pattern, SECONDS);
      const others = Object.keys({ ...statuses, ...errors }).filter((each) => each !== status);
      if (others.length > 0) throw new UsageError(`${name}: answered ${others.join()} instead of ${status}`);
      (rates[i] as number[]).push(perSecond);
    }
  const first = rates[0] as number[];
  for (const [i, [name]] of kinds.entries()) {
    const own = rates[i] as number[];
    const quotient = median(own.map((rate, round) => rate / (first[round] as number)));
    print(name, `${Math.round(median(own)).toLocaleString('en')}/s  ${quotient.toFixed(2)}`);
  }
}

const usedBytes = async ({ redis }: Stores) =>
  Number(/^used_memory:(\d+)/m.exec(String(await redis.command('INFO', 'memory')))?.[1]);

async function measureMemory(service: OwnService, buyers: number): Promise<void> {
  const stores = await openStores(service);
  try {
    const id = await newSale(service.url, { total_items: 1, queue: { admit_per_second: 0 } });
    const sale = (await readLiveSales(stores.postgres)).find((each) => each.id === id);
    if (sale?.queue === undefined) throw new UsageError('the sale has no queue');
    const { queue } = sale;
    const seed = createMac(queue.seed);
    const joins = createJoins(stores.redis, stores.postgres, () => sale);
    const before = await usedBytes(stores);
    const beganMs = performance.now();
    for (let from = 0; from < buyers; from += AT_ONCE)
      await Promise.all(
        Array.from({ length: Math.min(AT_ONCE, buyers - from) }, (_, i) => {
          const { name, fraction } = lotOf(seed, `${from + i}@shop.example`);
          return joins.add({ lot: name, fraction });
        }),
      );
    const seconds = (performance.now() - beganMs) / 1_000;
    const bytes = (await usedBytes(stores)) - before;
    const known = Number(await stores.redis.command('HLEN', queueKeysOf(id).places));
    if (known !== buyers) throw new UsageError(`Redis has ${known} buyers instead of ${buyers}`);
    print(`${buyers.toLocaleString('en')} buyers in Redis`, `${(bytes / MIB).toFixed(0)} MiB`);
    print('of them joined per second, without HTTP', Math.round(buyers / seconds).toLocaleString('en'));
  } finally {
    await stores.close();
  }
}

/** So many buyers listen for their turn while the line moves: what one costs the worker, in memory and time. */
async function measureListeners({ url, pid }: OwnService, count: number): Promise<void> {
  const sale = await newSale(url, { total_items: 1, queue: { admit_per_second: 1 } });
  const connection = openConnection(url);
  const tickets: string[] = [];
  for (let i = 0; i < count; i++) {
    const { body } = await connection.request('POST', `/queue?user_id=listener-${i}&sale_id=${sale}`);
    tickets.push((JSON.parse(body) as { ticket: string }).ticket);
  }
  const rssOf = async () => {
    const { body } = await connection.request('GET', '/health');
    return (JSON.parse(body) as { workers: { memory: number }[] }).workers[0]?.memory as number;
  };
  const before = await rssOf();
  const { hostname, port, host } = new URL(url);
  let messages = 0;
  const sockets = tickets.map((ticket) => {
    const socket = connect(Number(port), hostname, () =>
      socket.write(`GET /queue/${ticket} HTTP/1.1\r\nHost: ${host}\r\nAccept: text/event-stream\r\n\r\n`),
    );
    return socket.on('data', (part) => {
      if (part.includes('data: ')) messages++;
    });
  });
  while (messages < count) await sleep(100);
  const usage = cpuOfTree(pid);
  const heard = messages;
  await sleep(LISTEN_S * 1_000);
  const told = messages - heard;
  const { workers } = cpuPerRequest(usage, cpuOfTree(pid), told);
  const bytes = (await rssOf()) - before;
  for (const socket of sockets) socket.destroy();
  connection.close();
  print(`${count.toLocaleString('en')} listeners, each`, `${(bytes / count / 1_024).toFixed(1)} KiB`);
  print(
    `${Math.round(told / LISTEN_S).toLocaleString('en')} messages per second, each`,
    `${workers.toFixed(1)} µs`,
  );
}

await runCommand('queue', async () => {
  const { values } = parseArgs({
    options: {
      ...{ buyers: { type: 'string' }, rounds: { type: 'string' } },
      listeners: { type: 'string' },
    } as const,
  });
  const buyers = readCount('buyers', values.buyers, 1_000_000);
  const listeners = readCount('listeners', values.listeners, 5_000);
  const rounds = readCount('rounds', values.rounds, 7);
  measureTickets();
  const { dataDir, remove } = makeDataDir();
  const service = await startService(dataDir, { WORKERS: '1', LOG_REQUESTS: 'failures' });
  try {
    await measureRequests(service, rounds);
    await measureListeners(service, listeners);
    await measureMemory(service, buyers);
  } finally {
    await service.stop();
    remove();
  }
  return 0;
});
