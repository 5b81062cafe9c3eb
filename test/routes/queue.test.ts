import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash, createHmac } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join as joinPath } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { forgedTickets } from '../../campaigns/hardening/tickets.ts';
import { type Reply, sendRaw } from '../support/http.ts';
import { readMetrics } from '../support/metrics.ts';
import { until } from '../support/processes.ts';
import { startService } from '../support/service.ts';
import { addShelf, assertProblem, checkout, inSeconds } from '../support/shop.ts';
import { connectStores, temporaryDir } from '../support/stores.ts';

const service = await startService({ WORKERS: '2' });
const { http, url } = service;
const { sql } = await connectStores(service.redisUrl, service.databaseUrl);

const join = (user: string, sale: string) => http.post(`/queue?user_id=${user}&sale_id=${sale}`);
const turnOf = (ticket: string) => http.get(`/queue/${ticket}`);
const buy = (user: string, item: string, sale: string, ticket?: string) =>
  http.post(
    `/checkout?user_id=${user}&id=${item}&sale_id=${sale}${ticket === undefined ? '' : `&ticket=${ticket}`}`,
  );
const patch = (sale: string, queue: unknown) =>
  http.send('PATCH', `/admin/sales/${sale}`, { body: { queue } });
const open = (queue: Record<string, unknown>, body: Record<string, unknown> = {}) =>
  addShelf(http, { total_items: 20, queue, ...body });
const later = (seconds: number) => ({ started_at: inSeconds(seconds), ended_at: inSeconds(600) });
const drawn = (sale: string) =>
  until('the draw', async () => (await http.get(`/sales/${sale}`)).body.queue.seed as string | undefined);
const admitted = (ticket: string) =>
  until('the turn', async () => ((await turnOf(ticket)).body.admitted ? true : undefined));

/** Runs the check that docs/queue.md gives to buyers, and returns what it says. */
async function checkByPage(sale: string, user: string, noted: string): Promise<string> {
  const page = readFileSync(new URL('../../../docs/queue.md', import.meta.url), 'utf8');
  const [script] = /\/\/ node check .*?(?=```)/s.exec(page) as [string];
  const file = joinPath(temporaryDir(), 'check.mjs');
  writeFileSync(file, script);
  return (await promisify(execFile)(process.execPath, [file, url, sale, user, noted])).stdout;
}

function assertNotAdmitted(reply: Reply, place: number | null): void {
  assert.deepEqual(
    [reply.status, reply.body.code, reply.body.place],
    [403, 'not_admitted', place],
    reply.text,
  );
  const wait = Number(reply.headers['retry-after']);
  assert.ok(wait >= 1 && wait <= 60, `Retry-After: ${wait}`);
}

test('who joins before the start is drawn, by a seed whose hash was told before; anybody can check it', async () => {
  const { sale, items } = await open({ admit_per_second: 1_000 }, later(3));
  const before = (await http.get(`/sales/${sale}`)).body.queue;
  assert.deepEqual(Object.keys(before).sort(), ['admit_per_second', 'draw', 'seed_sha256']);
  const users = Array.from({ length: 40 }, (_, i) => `user-${i}`);
  const joined = await Promise.all(users.map((user) => join(user, sale)));
  for (const { status, body, headers } of joined) {
    assert.deepEqual([status, body.place, body.admitted, body.state], [200, null, false, 'drawing']);
    assert.equal(headers['cache-control'], 'no-store');
  }
  assert.equal((await join(users[0]!, sale)).body.ticket, joined[0]!.body.ticket);
  assertProblem(await buy('user-0', items[0]!, sale, joined[0]!.body.ticket), 400, 'sale_not_active');
  const seed = await drawn(sale);
  assert.equal(createHash('sha256').update(seed, 'hex').digest('hex'), before.seed_sha256);
  for (const [i, user] of users.entries()) {
    const { place } = (await turnOf(joined[i]!.body.ticket)).body;
    const hex = createHmac('sha256', Buffer.from(seed, 'hex')).update(user).digest('hex');
    assert.equal(place, Math.floor((Number.parseInt(hex.slice(0, 13), 16) / 16 ** 13) * 40) + 1, user);
  }
  const { place: first } = (await turnOf(joined[0]!.body.ticket)).body;
  assert.equal(await checkByPage(sale, 'user-0', before.seed_sha256), `place ${first} of 40\n`);
  await assert.rejects(
    checkByPage(sale, 'user-0', 'ab'.repeat(32)),
    /another seed than the one that was promised/,
  );
  await admitted(joined[0]!.body.ticket);
  const late = await join('late', sale);
  assert.equal(late.body.place, 41);
  assert.equal((await buy('user-0', items[0]!, sale, joined[0]!.body.ticket)).status, 200);
});

test('a checkout without an admitted ticket is refused, says the place, and is in the attempt log', async () => {
  const { sale, items } = await open({ admit_per_second: 0 });
  await drawn(sale);
  const ada = (await join('ada', sale)).body;
  const bob = (await join('bob', sale)).body;
  assert.deepEqual([ada.place, ada.before, ada.wait_seconds, ada.state], [1, 0, null, 'waiting']);
  assert.deepEqual([bob.place, bob.before], [2, 1]);
  assertNotAdmitted(await checkout(http, 'ada', items[0]!, sale), null);
  assertNotAdmitted(await buy('bob', items[0]!, sale, bob.ticket), 2);
  assertNotAdmitted(await buy('bob', items[0]!, sale, ada.ticket), null);
  assertProblem(await buy('bob', items[0]!, sale, '%22'), 400, 'validation_failed', 'errors');
  const lane = await sendRaw(
    url,
    `POST /checkout?user_id=eve&id=${items[0]}&sale_id=${sale} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
  );
  const slow = await sendRaw(
    url,
    `POST /checkout?user_id=eve&id=${items[0]}&sale_id=${sale} HTTP/1.1\r\nHost: a\r\nConnection: close, x\r\n\r\n`,
  );
  for (const reply of [lane, slow]) assertNotAdmitted(reply, null);
  const refused = () =>
    sql(
      `select user_id, count(*)::int as n from checkout_attempts where sale_id = $1 and outcome = 'not_admitted' group by user_id order by user_id`,
      sale,
    );
  await until('the attempts', async () => (await refused()).reduce((sum, { n }) => sum + Number(n), 0) === 5);
  assert.deepEqual(await refused(), [
    { user_id: 'ada', n: 1 },
    { user_id: 'bob', n: 2 },
    { user_id: 'eve', n: 2 },
  ]);
});

test('a forged ticket is good for nothing', async () => {
  const { sale, items } = await open({ admit_per_second: 100 });
  await drawn(sale);
  const { ticket } = (await join('ada', sale)).body;
  await admitted(ticket);
  for (const forged of forgedTickets(ticket)) {
    assertNotAdmitted(await buy('ada', items[0]!, sale, forged), null);
    assertProblem(await turnOf(forged), 404, 'not_found');
  }
  assert.equal((await buy('ada', items[0]!, sale, ticket)).status, 200);
});

test('a sale without a queue has none to join, and takes checkouts as ever, with a ticket or without', async () => {
  const { sale, items } = await addShelf(http, { total_items: 2 });
  assertProblem(await join('ada', sale), 404, 'not_found');
  assertProblem(await join('ada', 'S-0000000000'), 404, 'sale_not_found');
  assertProblem(await http.post(`/queue?sale_id=${sale}`), 400, 'validation_failed', 'errors');
  assert.equal((await buy('ada', items[0]!, sale, 'whatever')).status, 200);
  assert.equal((await http.get(`/sales/${sale}`)).body.queue, undefined);
});

test('nobody joins before the queue opens; the answer says when it does', async () => {
  const opens = inSeconds(500);
  const { sale } = await open({ admit_per_second: 1, opens_at: opens }, later(550));
  const reply = await join('ada', sale);
  assert.deepEqual([reply.status, reply.body.code], [409, 'sale_state_conflict']);
  assert.equal(reply.headers['retry-after'], '60');
  assert.ok(reply.body.detail.includes(opens.slice(0, 16)), reply.body.detail);
});

test('what is said of a queue is checked, field by field', async () => {
  const wrong: [queue: unknown, field: string, sentence: RegExp][] = [
    [{}, 'queue.admit_per_second', /is required/],
    [[], 'queue', /must be an object, not a list/],
    [{ admit_per_second: -1 }, 'queue.admit_per_second', /from 0 to 100000/],
    [{ admit_per_second: '5' }, 'queue.admit_per_second', /not a text/],
    [{ admit_per_second: 1, draw: 'yes' }, 'queue.draw', /true or false/],
    [{ admit_per_second: 1, pass_seconds: 9 }, 'queue.pass_seconds', /from 10 to 86400/],
    [{ admit_per_second: 1, opens_at: 'soon' }, 'queue.opens_at', /a time like/],
    [{ admit_per_second: 1, opens_at: inSeconds(3_000) }, 'queue.opens_at', /later than the start/],
    [{ admit_per_second: 1, colour: 1 }, 'queue.colour', /not a field of a queue/],
  ];
  for (const [queue, field, sentence] of wrong) {
    const reply = await http.post('/admin/sales', { body: { total_items: 1, queue } });
    assertProblem(reply, 400, 'validation_failed', 'errors');
    assert.deepEqual(Object.keys(reply.body.errors), [field]);
    assert.match(reply.body.errors[field], sentence);
  }
  const query = encodeURIComponent(JSON.stringify({ admit_per_second: 2.5, pass_seconds: 60 }));
  const made = await http.send('POST', `/admin/sales?queue=${query}`, {
    headers: { 'Content-Type': 'text/csv' },
    body: 'name\r\nLamp\r\n',
  });
  assert.equal(made.status, 201, made.text);
  const { queue } = (await http.get(`/admin/sales/${made.body.data.id}`)).body;
  assert.deepEqual([queue.admit_per_second, queue.pass_seconds, queue.draw], [2.5, 60, true]);
});

test('the rate is changed, stopped and resumed while it runs; nobody’s place moves, and what is said of it is checked', async () => {
  const { sale, items } = await open({ admit_per_second: 0, pass_seconds: 600 });
  await drawn(sale);
  const tickets: string[] = [];
  for (let i = 0; i < 30; i++) tickets.push((await join(`user-${i}`, sale)).body.ticket);
  const places = async () => (await Promise.all(tickets.map(turnOf))).map(({ body }) => body.place);
  const before = await places();
  const faster = await patch(sale, { admit_per_second: 200 });
  assert.deepEqual([faster.status, faster.body.queue.admit_per_second], [200, 200], faster.text);
  assert.deepEqual([faster.body.queue.pass_seconds, faster.body.version], [600, 2], 'what is left out stays');
  await Promise.all(tickets.map(admitted));
  await patch(sale, { admit_per_second: 0 });
  const late = (await join('late', sale)).body.ticket;
  await new Promise((resolve) => setTimeout(resolve, 600));
  assert.deepEqual((await turnOf(late)).body.state, 'waiting');
  assert.deepEqual(await places(), before);
  assertNotAdmitted(await buy('late', items[0]!, sale, late), 31);
  await patch(sale, { admit_per_second: 100 });
  await admitted(late);
  assert.equal((await buy('late', items[0]!, sale, late)).status, 200);
  assertProblem(await patch(sale, { draw: false }), 409, 'sale_state_conflict');
  assertProblem(await patch(sale, { opens_at: inSeconds(-5) }), 409, 'sale_state_conflict');
  assertProblem(await patch(sale, { admit_per_second: 'x' }), 400, 'validation_failed', 'errors');
  const stale = { headers: { 'If-Match': '"1"' }, body: { queue: { admit_per_second: 1 } } };
  assertProblem(await http.send('PATCH', `/admin/sales/${sale}`, stale), 412, 'precondition_failed');
});

test('a sale that runs can be given a queue: from then on checkouts need a turn', async () => {
  const { sale, items } = await addShelf(http, { total_items: 3 });
  const { code } = (await checkout(http, 'ada', items[0]!, sale)).body;
  assertProblem(await patch(sale, { pass_seconds: 60 }), 400, 'validation_failed', 'errors');
  const given = await patch(sale, { admit_per_second: 500 });
  assert.deepEqual([given.status, given.body.queue.draw], [200, true], given.text);
  assertNotAdmitted(await checkout(http, 'bob', items[1]!, sale), null);
  assert.equal((await http.post(`/purchase?code=${code}`)).status, 200, 'a cart is bought without');
  await drawn(sale);
  const { ticket } = (await join('bob', sale)).body;
  await admitted(ticket);
  assert.equal((await buy('bob', items[1]!, sale, ticket)).status, 200);
});

/** Listens for a turn on a connection of its own. */
function listen(ticket: string, headers: Record<string, string> = {}) {
  const heard: { place: number | null; state: string }[] = [];
  const left = new AbortController();
  const ended = (async () => {
    const accept = { Accept: 'text/event-stream', ...headers };
    const response = await fetch(`${url}/queue/${ticket}`, { signal: left.signal, headers: accept });
    let text = '';
    for await (const part of response.body ?? []) {
      text += Buffer.from(part).toString();
      heard.length = 0;
      for (const [, data] of text.matchAll(/^data: (.*)$/gm)) heard.push(JSON.parse(data!));
    }
    return { status: response.status, text };
  })();
  return { heard, ended, leave: () => left.abort() };
}

test('listeners hear their place when it is drawn, and the end of their turn, and are not told again', async () => {
  const { sale } = await open({ admit_per_second: 20 }, later(2));
  const tickets = await Promise.all([1, 2, 3, 4].map(async (i) => (await join(`l-${i}`, sale)).body.ticket));
  const listeners = tickets.map((ticket) => listen(ticket));
  await until('all hear', () => listeners.every(({ heard }) => heard.length > 0));
  assert.deepEqual(new Set(listeners.map(({ heard }) => heard[0]!.state)), new Set(['drawing']));
  const metrics = readMetrics((await http.get('/metrics')).text).values;
  assert.deepEqual(
    [metrics.get('flashsale_queue_listeners'), metrics.get(`flashsale_queue_joined{sale="${sale}"}`)],
    [4, 4],
  );
  assert.equal(metrics.get(`flashsale_queue_waiting{sale="${sale}"}`), 4);
  assert.equal(metrics.get(`flashsale_queue_admit_per_second{sale="${sale}"}`), 20);
  for (const [i, { heard, ended }] of listeners.entries()) {
    const { status, text } = await ended;
    assert.equal(status, 200);
    assert.match(text, /\nid: admitted\ndata: [^\n]*\n\n$/);
    assert.equal(heard.at(-1)!.place, (await turnOf(tickets[i]!)).body.place);
  }
  // Streams are for those who name them: this one leaves by the lane, with its length.
  const any = await sendRaw(
    url,
    `GET /queue/${tickets[0]} HTTP/1.1\r\nHost: a\r\nAccept: text/*\r\nConnection: close\r\n\r\n`,
  );
  assert.match(String(any.headers['content-type']), /^application\/json/);
  assert.equal(any.body.admitted, true);
  const again = await listen(tickets[0]!, { 'Last-Event-ID': 'admitted' }).ended;
  assert.deepEqual([again.status, again.text], [204, '']);
  assert.equal((await listen('nothing').ended).status, 404);
  await until('nobody listens', async () => {
    const { values } = readMetrics((await http.get('/metrics')).text);
    return values.get('flashsale_queue_listeners') === 0 ? true : undefined;
  });
});

test('with its sale a queue is over: listeners are let go, and whoever asks is told why', async () => {
  const { sale } = await open({ admit_per_second: 0 }, { ended_at: inSeconds(3) });
  const { ticket } = (await join('ada', sale)).body;
  const listener = listen(ticket);
  await until('it hears', () => listener.heard.length > 0);
  const { status, text } = await listener.ended;
  assert.equal(status, 200);
  assert.ok(!text.includes('\nid: '), 'the turn has not come');
  assertProblem(await turnOf(ticket), 400, 'sale_not_active');
  assert.equal((await listen(ticket).ended).status, 400);
});
