import assert from 'node:assert/strict';
import { request } from 'node:http';
import { test } from 'node:test';
import { assertDocumented, operationOf } from '../support/contract.ts';
import type { Reply } from '../support/http.ts';
import { until } from '../support/processes.ts';
import { startService } from '../support/service.ts';
import { addShelf, assertProblem, fillCart, purchase } from '../support/shop.ts';

const TOKEN = 's3cret';
const service = await startService({ ADMIN_TOKEN: TOKEN, EVENTS: 'on', WORKERS: '2' });
const { http, url } = service;
const admin = { Authorization: `Bearer ${TOKEN}` };

interface Event {
  readonly id: string;
  readonly type: string;
  readonly data: { readonly sale_id: string; readonly code?: string };
}

async function ask(query = '', headers: Record<string, string> = admin): Promise<Reply> {
  const reply = await http.get(`/admin/events${query}`, headers);
  await assertDocumented(operationOf('readEvents'), reply);
  return reply;
}
/** All events behind one, in pages of two. */
async function follow(after?: string): Promise<Event[]> {
  const seen: Event[] = [];
  for (let last = after; ; ) {
    const { body } = await ask(`?limit=2${last === undefined ? '' : `&after=${last}`}`);
    if (body.length === 0) return seen;
    seen.push(...body);
    last = seen.at(-1)!.id;
  }
}

/** A stream of events: what has come so far, and how to leave. */
function listen(headers: Record<string, string>, query = '') {
  const { hostname, port } = new URL(url);
  const seen: Event[] = [];
  let status = 0;
  let text = '';
  const sent = request(
    {
      hostname,
      port,
      path: `/admin/events${query}`,
      headers: { ...admin, Accept: 'text/event-stream', ...headers },
    },
    (res) => {
      status = res.statusCode!;
      res.setEncoding('utf8').on('data', (chunk) => {
        text += chunk;
        const frames = text.split('\n\n');
        text = frames.pop()!;
        for (const frame of frames) {
          const [, id, type, data] = /^id: (.*)\nevent: (.*)\ndata: (.*)$/.exec(frame) ?? [];
          if (data === undefined) continue;
          const event = JSON.parse(data);
          assert.deepEqual([event.id, event.type], [id, type]);
          seen.push(event);
        }
      });
      res.on('error', () => {});
    },
  );
  sent.on('error', () => {});
  sent.end();
  return { seen, status: () => status, leave: () => sent.destroy() };
}

test('what happens to a sale is told in its order, each once', async () => {
  const { sale, items } = await addShelf(http, { total_items: 2 }, admin);
  const codes = [
    await fillCart(http, 'ada', [items[0]!], sale),
    await fillCart(http, 'bob', [items[1]!], sale),
  ];
  const opened = await until('it is open', async () =>
    (await follow()).find(({ type, data }) => type === 'sale.opened' && data.sale_id === sale),
  );
  for (const code of codes) assert.equal((await purchase(http, code)).status, 200);
  const told = await until('it is sold out', async () => {
    const behind = await follow(opened.id);
    return behind.some(({ type }) => type === 'sale.sold_out') && behind;
  });
  assert.deepEqual(
    told.map(({ type, data }) => [type, data.sale_id, data.code]),
    [
      ['purchase.completed', sale, codes[0]],
      ['purchase.completed', sale, codes[1]],
      ['sale.sold_out', sale, undefined],
    ],
  );
  const [first] = told;
  const [listed] = (await http.get(`/admin/sales/${sale}/purchases?user_id=ada`, admin)).body;
  assert.deepEqual(first!.data, listed, 'as in the listing');
});

const last = async () => (await follow()).at(-1)!.id;

test('a long poll is answered when something happens, or empty when its time is up', async () => {
  const after = await last();
  const beganMs = performance.now();
  assert.deepEqual((await ask(`?after=${after}&wait=1`)).body, []);
  assert.ok(performance.now() - beganMs >= 1_000);
  const { sale, items } = await addShelf(http, { total_items: 5 }, admin);
  await until('it is open', async () => (await follow(after)).some(({ data }) => data.sale_id === sale));
  const waiting = ask(`?after=${await last()}&wait=30`);
  const code = await fillCart(http, 'ada', [items[0]!], sale);
  await purchase(http, code);
  const { body } = await waiting;
  assert.deepEqual(
    body.map(({ data }: Event) => data.code),
    [code],
  );
  const { text } = await http.get('/metrics');
  const [, seconds] =
    /http_request_duration_seconds_sum\{handler="\/admin\/events",method="GET",status_code="200"\} (\S+)/.exec(
      text,
    ) ?? [];
  assert.ok(Number(seconds) < 1, `${seconds} s: the wait is no time of the service`);
});

test('a stream goes on where Last-Event-ID ended, and shows what happens', async () => {
  const { sale, items } = await addShelf(http, { total_items: 5 }, admin);
  await until('it is open', async () => (await follow()).some(({ data }) => data.sale_id === sale));
  const whole = listen({});
  const everything = await follow();
  await until('all of the past', () => whole.seen.length === everything.length);
  assert.deepEqual(whole.seen, everything);
  const half = everything[everything.length >> 1]!;
  const rest = listen({ 'Last-Event-ID': half.id }, `?after=${everything[0]!.id}`);
  await until('the rest', () => rest.seen.length === everything.length - (everything.length >> 1) - 1);
  const code = await fillCart(http, 'ada', [items[0]!], sale);
  await purchase(http, code);
  for (const stream of [whole, rest]) {
    await until('the purchase', () => stream.seen.at(-1)?.data.code === code);
    stream.leave();
  }
});

test('what cannot be asked is refused; who names an event that is gone hears so', async () => {
  for (const query of ['?limit=0', '?wait=31', '?after=x', '?before=1', '?after=1.2.3'])
    assertProblem(await ask(query), 400, 'validation_failed', 'errors');
  const stream = { ...admin, Accept: 'text/event-stream' };
  assertProblem(await ask('?limit=5', stream), 400, 'validation_failed', 'errors');
  assertProblem(await ask('', { ...stream, 'Last-Event-ID': 'x' }), 400, 'validation_failed', 'errors');
  assertProblem(await ask('?after=1.1.0.1'), 410, 'events_gone');
  assertProblem(await ask('', { ...stream, 'Last-Event-ID': '1.1.0.1' }), 410, 'events_gone');
  assertProblem(await ask('', {}), 401, 'unauthorized');
});

test('more readers than there are places are refused; places of those who leave are free', async () => {
  const after = await last();
  const streams = Array.from({ length: 60 }, () => listen({ 'Last-Event-ID': after }));
  await until('all to be answered', () => streams.every((stream) => stream.status() !== 0));
  const taken = streams.filter((stream) => stream.status() === 200);
  // 16 of each of two workers, however the connections fell.
  assert.ok(taken.length >= 16 && taken.length <= 32, `${taken.length} streams`);
  for (const stream of streams) stream.leave();
  await until('a free place', async () => (await ask(`?after=${after}&wait=1`)).status === 200);
});

test('a worker that leaves ends its streams at once', async () => {
  const stream = listen({ 'Last-Event-ID': await last() });
  await until('its beginning', () => stream.status() === 200);
  const beganMs = performance.now();
  await service.stop();
  assert.ok(performance.now() - beganMs < 8_000, 'no drain to its deadline');
});
