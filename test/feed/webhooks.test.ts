import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { openReceiver, type Received, SECRET } from '../../campaigns/faults/receiver.ts';
import { createDelivery } from '../../src/feed/delivery.ts';
import { createWebhooks, pauseAfter, SIDE_BY_SIDE } from '../../src/feed/webhooks.ts';
import { commitDecisions } from '../../src/store/commit.ts';
import { FEED_START } from '../../src/store/feed/read.ts';
import { deadMessages, retryWebhooks, webhookBacklog, webhookPlace } from '../../src/store/feed/webhooks.ts';
import { openPostgres } from '../../src/store/postgres.ts';
import { atEnd } from '../support/at-end.ts';
import { until } from '../support/processes.ts';
import { addSale, openStores } from '../support/stores.ts';

const stores = await openStores();
const { sql } = stores;
const postgres = await openPostgres({
  ...{ url: stores.databaseUrl, connectionsMax: 8, patient: false, onError: () => {}, tells: true },
});
atEnd(postgres.close);
const receiver = await openReceiver();
atEnd(receiver.die);
const sale = await addSale(stores, { items: 2_000 });
await webhookPlace(postgres);

interface Way {
  readonly allowPrivate?: boolean;
  readonly url?: string;
  readonly answerMs?: number;
}
const told: string[] = [];
function open({ allowPrivate = true, url = receiver.url, answerMs = 300 }: Way = {}) {
  const delivery = createDelivery({
    url,
    secret: SECRET,
    allowPrivate,
    connectionsMax: SIDE_BY_SIDE,
    answerMs,
  });
  atEnd(() => delivery.close());
  const send = createWebhooks({
    ...{ postgres, delivery, pauseMs: { from: 20, to: 100 } },
    onSent: (outcome, _event, failure) => void told.push(failure ?? outcome),
  });
  return () => send(() => true);
}
/** Sends until there is nothing to send, which is until the next try of what waits. */
async function sendAll(send: () => Promise<boolean>): Promise<void> {
  while (await send());
}
const drained = (send: () => Promise<boolean>) =>
  until('everything to arrive', async () => {
    await sendAll(send);
    return (await webhookBacklog(postgres)).waiting === 0;
  });

let item = 0;
/** So many purchases, each told; returns their codes. */
async function buy(count: number): Promise<string[]> {
  const decisions = Array.from({ length: count }, () => {
    const n = item++;
    const code = `CHK-${sale.id}-${n.toString(16).padStart(32, '0')}`;
    return {
      code,
      saleId: sale.id,
      userId: `user-${n}`,
      decidedMs: Date.now(),
      lines: [`+${sale.itemIds[n]}`],
    };
  });
  await commitDecisions(postgres, sale, decisions);
  return decisions.map(({ code }) => code);
}
const codesOf = (received: readonly Received[], among: readonly string[]) =>
  received.flatMap(({ data }) => (among.includes(data.code!) ? [data.code!] : []));
/** What follows a purchase, as payments and returns will. */
const follow = (code: string, type: string) =>
  sql(
    "insert into events (type, sale_id, codes) values ($1, $2, decode(right($3, 32), 'hex'))",
    type,
    sale.id,
    code,
  );

test('every event arrives once, signed', async () => {
  const codes = await buy(50);
  await sendAll(open());
  assert.deepEqual(codesOf(receiver.taken, codes).sort(), codes);
  const [first] = receiver.taken;
  assert.equal(first!.type, 'purchase.completed');
});

test('a receiver that fails, answers elsewhere or not at all hears it again, and each purchase in its order', async () => {
  const codes = await buy(20);
  for (const code of codes) await follow(code, 'purchase.cancelled');
  const failures = new Map<string, number>();
  receiver.answer = ({ data, type }) => {
    const n = failures.get(data.code! + type) ?? 0;
    failures.set(data.code! + type, n + 1);
    const kinds = [500, 302, null, 429] as const;
    return n < 2 ? kinds[(codes.indexOf(data.code!) + n) % kinds.length]! : 200;
  };
  const before = receiver.taken.length;
  await drained(open());
  receiver.answer = () => 200;
  const arrived = receiver.taken.slice(before);
  assert.equal(arrived.length, 40, 'each once');
  for (const code of codes)
    assert.deepEqual(
      arrived.filter(({ data }) => data.code === code).map(({ type }) => type),
      ['purchase.completed', 'purchase.cancelled'],
    );
  for (const failure of ['status 500', 'status 302', 'no answer within 300 ms', 'status 429'])
    assert.ok(told.includes(failure), failure);
});

test('a receiver that dies misses nothing when it is back, and hears all that waited at once', async () => {
  const send = open();
  await receiver.die();
  const codes = await buy(60);
  await sendAll(send);
  assert.ok((await webhookBacklog(postgres)).waiting > 0);
  // As if it had been tried for long: without a hurry the next tries were hours away.
  await sql("update webhooks_waiting set next_at = now() + interval '1 hour'");
  const [one] = await sql('select id from webhooks_waiting limit 1');
  await sql('update webhooks_waiting set next_at = now() where id = $1', one!.id);
  await receiver.comeBack();
  await drained(send);
  assert.deepEqual(codesOf(receiver.taken, codes).sort(), codes);
});

test('410, or three days of tries, make an event dead; it holds up no other, and can be sent again', async () => {
  const [gone, late, fine] = (await buy(3)) as [string, string, string];
  const send = open();
  receiver.answer = ({ data }) => (data.code === gone ? 410 : data.code === late ? 500 : 200);
  await sendAll(send);
  await sql("update webhooks_waiting set first_at = now() - interval '73 hours', next_at = now()");
  await sendAll(send);
  const dead = await deadMessages(postgres, FEED_START, 10);
  assert.deepEqual(
    dead.map(({ body, failure }) => [JSON.parse(body).data.code, failure]),
    [
      [gone, 'status 410'],
      [late, 'status 500'],
    ],
  );
  assert.deepEqual(codesOf(receiver.taken, [gone, late, fine]), [fine]);
  await follow(gone, 'purchase.cancelled');
  await sendAll(send);
  receiver.answer = () => 200;
  assert.equal(await retryWebhooks(postgres, dead[1]!.id), 1);
  await drained(send);
  assert.deepEqual(codesOf(receiver.taken, [late]), [late]);
  assert.equal(await retryWebhooks(postgres, undefined), 2);
  await drained(send);
  assert.deepEqual(codesOf(receiver.taken, [gone]), [gone, gone]);
  assert.deepEqual(await deadMessages(postgres, FEED_START, 10), []);
});

test('what was sent and not noted is sent again: at least once, whatever dies between', async () => {
  const codes = await buy(10);
  const place = await webhookPlace(postgres);
  await sendAll(open());
  await sql('update webhook_place set turn = $1, seq = $2, read = $3', place.turn, place.seq, place.read);
  await sendAll(open());
  assert.equal(codesOf(receiver.taken, codes).length, 20);
  assert.equal(
    new Set(receiver.taken.filter(({ data }) => codes.includes(data.code!)).map(({ id }) => id)).size,
    10,
  );
});

test('two leaders at a time leave nothing out, and note each event once', async () => {
  const codes = await buy(200);
  await Promise.all([drained(open()), drained(open())]);
  assert.deepEqual([...new Set(codesOf(receiver.taken, codes))].sort(), codes);
});

test('a receiver in the own network is not connected to, by name or by number, unless that is allowed', async () => {
  let connections = 0;
  const inside = createServer((_req, res) => res.end()).on('connection', () => connections++);
  await new Promise<void>((resolve) => inside.listen(0, '127.0.0.1', resolve));
  const { port } = inside.address() as AddressInfo;
  const message = { id: '1.1.0.1', key: 'k', body: '{}' };
  for (const [host, failure] of [
    ['127.0.0.1', /private/],
    ['localhost', /private/],
    ['[::1]', /private/],
    ['[::ffff:127.0.0.1]', /private/],
    ['2130706433', /private/],
  ] as const) {
    const options = { url: `http://${host}:${port}/`, secret: SECRET, connectionsMax: 1 };
    const closed = createDelivery({ ...options, allowPrivate: false });
    const sent = await closed.send(message);
    assert.match(sent.ok ? 'sent' : sent.failure, failure, host);
    closed.close();
  }
  assert.equal(connections, 0);
  const open = createDelivery({
    url: `http://localhost:${port}/`,
    secret: SECRET,
    connectionsMax: 1,
    allowPrivate: true,
  });
  assert.deepEqual(await open.send(message), { ok: true });
  open.close();
  inside.close();
});

test('pauses double up to an hour, by chance between half and all of it', () => {
  for (const [tries, ms] of [
    [1, 1_000],
    [2, 2_000],
    [5, 16_000],
    [12, 2_048_000],
    [13, 3_600_000],
    [1_000, 3_600_000],
  ] as const)
    for (let i = 0; i < 100; i++) {
      const pause = pauseAfter(tries);
      assert.ok(pause >= ms / 2 && pause <= ms, `${tries}: ${pause}`);
    }
});
