import assert from 'node:assert/strict';
import { test } from 'node:test';
import { STORY } from '../../src/contract/story.ts';
import type { Example, Parameter } from '../../src/contract/types.ts';
import {
  assertDocumented,
  assertDocumentedAnywhere,
  contract,
  exampleOf,
  operationOf,
} from '../support/contract.ts';
import { type Reply, sendRaw } from '../support/http.ts';
import { signalAll, until } from '../support/processes.ts';
import { freePort, startService } from '../support/service.ts';
import { addShelf, inSeconds } from '../support/shop.ts';

/** The examples of the document are sent to a service, and every answer is held against the document. */
const TOKEN = 's3cret';
const service = await startService({
  WORKERS: '2',
  WORKER_PORT_BASE: String(await freePort()),
  ADMIN_TOKEN: TOKEN,
  EVENTS: 'on',
});
const authorization = { Authorization: `Bearer ${TOKEN}` };
const { http } = service;
const told = new Set<string>();

/** What the story calls things → what they are called here. */
const names = new Map<string, string>();
const here = (text: string) =>
  [...names].reduce((each, [theirs, ours]) => each.replaceAll(theirs, ours), text);
const asTold = <T>(value: T): T => JSON.parse(here(JSON.stringify(value)));

interface Changes {
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** Sends the example of an operation, with a few changes; asserts that the answer is documented. */
async function send(id: string, changes: Changes = {}): Promise<Reply> {
  const described = operationOf(id);
  const { operation, method } = described;
  const shown = operation.parameters
    .map((each) => contract.find<Parameter>(each))
    .filter((each) => each.example !== undefined);
  const valuesOf = (place: Parameter['in']) =>
    Object.fromEntries(
      shown.filter((each) => each.in === place).map(({ name, example }) => [name, `${example}`]),
    );
  const query = Object.entries({ ...valuesOf('query'), ...changes.query }).filter(
    ([, value]) => value !== undefined,
  );
  const path = Object.entries(valuesOf('path')).reduce(
    (text, [name, value]) => text.replace(`{${name}}`, value),
    changes.path ?? described.path,
  );
  const example = Object.values(operation.requestBody?.content['application/json']?.examples ?? {})[0];
  const body = changes.body ?? (example && contract.find<Example>(example).value);
  const headers: Record<string, string> = {
    ...(operation.security && authorization),
    ...valuesOf('header'),
    ...changes.headers,
  };
  const search = query.map(([name, value]) => `${name}=${value}`).join('&');
  const reply = await http.send(method.toUpperCase(), here(`${path}${search && `?${search}`}`), {
    headers,
    ...(body !== undefined && { body }),
  });
  await assertDocumented(described, reply);
  told.add(`${id} ${reply.status}`);
  assert.equal(reply.headers['x-request-id'], headers['X-Request-Id']);
  return reply;
}

test('the story of the document happens as it is told', async () => {
  const created = await send('createSale');
  const { id, started_at, ended_at } = created.body.data;
  names.set(STORY.saleId, id).set(STORY.sale.started_at, started_at).set(STORY.sale.ended_at, ended_at);
  assert.deepEqual(created.body, asTold(exampleOf('createSale', 201)));
  assert.equal(created.headers.location, `/sales/${id}`);
  assert.deepEqual((await send('readSale')).body, asTold(exampleOf('readSale', 200)));
  const all = await send('listSales');
  assert.ok(all.body.some((sale: { id: string }) => sale.id === id));
  const page = await send('listItems');
  assert.deepEqual(page.body, asTold(exampleOf('listItems', 200)));
  assert.equal(
    page.headers.link,
    here(`</sales/${STORY.saleId}/items?limit=2&after=vase-1&available=true>; rel="next"`),
  );
  const cart = await send('checkout');
  names.set(STORY.code, cart.body.code);
  // The code begins with the sale's id, which was replaced in it already.
  names.set(STORY.code.replace(STORY.saleId, id), cart.body.code);
  assert.deepEqual(cart.body, asTold(exampleOf('checkout', 200)));
  assert.match(String(cart.headers['x-shard-owner']), /^[01]$/);
  assert.deepEqual((await send('readCart')).body, asTold(exampleOf('readCart', 200)));
  assert.deepEqual((await send('purchase')).body, asTold(exampleOf('purchase', 200)));
  assert.equal((await send('purchase')).headers['idempotent-replayed'], 'true');
  const receipt = (await send('readReceipt')).body;
  names.set(STORY.purchase.purchased_at, receipt.purchased_at);
  assert.deepEqual(receipt, asTold(exampleOf('readReceipt', 200)));
});

test('the story of a queue happens as it is told', async () => {
  const later = { started_at: inSeconds(600), ended_at: inSeconds(1_200) };
  const { sale, items } = await shelf({ total_items: 1, queue: { admit_per_second: 5 }, ...later });
  const joined = await send('joinQueue', { query: { sale_id: sale } });
  const { ticket, sale_starts_at } = joined.body;
  const expected = { ...STORY.turn, ticket, sale_starts_at };
  assert.deepEqual(joined.body, expected);
  assert.deepEqual((await send('readTurn', { path: `/queue/${ticket}` })).body, expected);
  const none = await shelf({ total_items: 1, queue: { admit_per_second: 0 } });
  const told: [code: string, reply: Reply][] = [
    ['validation_failed', await send('joinQueue', { query: { user_id: undefined } })],
    ['sale_not_found', await send('joinQueue', { query: { sale_id: 'S-0000000000' } })],
    ['not_found', await send('joinQueue')],
    ['not_found', await send('readTurn', { path: '/queue/nothing' })],
    ['sale_not_active', await send('checkout', { query: { sale_id: sale, id: items[0], ticket } })],
    ['not_admitted', await send('checkout', { query: { sale_id: none.sale, id: none.items[0] } })],
  ];
  assert.deepEqual(
    told.map(([, reply]) => reply.body.code),
    told.map(([expected]) => expected),
  );
  assert.equal((await send('readSale', { path: `/sales/${sale}` })).body.queue.admit_per_second, 5);
  assert.equal((await send('readAdminSale', { path: `/admin/sales/${sale}` })).body.queue.draw, true);
});

/** A stream has no end: test/routes/live.test.ts and test/console/console.test.ts read them, and open sessions. */
const ELSEWHERE = ['createSale', 'cancelSale', 'listenToSale', 'followFigures', 'openSession', 'endSession'];

test('every other operation answers its example as well', async () => {
  for (const { operation } of contract.operations)
    if (
      !told.has(`${operation.operationId} 200`) &&
      ![...ELSEWHERE, ...OF_PAYMENTS].includes(operation.operationId)
    )
      assert.equal((await send(operation.operationId)).status, 200, operation.operationId);
});

/** They need a sale with a payment window. */
const OF_PAYMENTS = ['confirmPayment', 'releasePayment', 'cancelPurchase'];

test('what operators do with payments is answered as it is told', async () => {
  const { sale, items } = await shelf({ ...STORY.newSale, payment_seconds: 900 });
  const buy = async (user_id: string, item: number) => {
    const { code } = (await send('checkout', { query: { user_id, id: items[item]!, sale_id: sale } })).body;
    const bought = await send('purchase', { query: { code } });
    assert.equal(bought.body.payment.state, 'pending');
    return code as string;
  };
  const code = await buy('ada', 0);
  const confirmed = await send('confirmPayment', { path: `/admin/purchases/${code}/confirm` });
  const { purchased_at, payment } = confirmed.body;
  const told = { ...STORY.confirmed, code, sale_id: sale, purchased_at };
  assert.deepEqual(confirmed.body, { ...told, payment: { ...told.payment, due_at: payment.due_at } });
  const failed = await buy('bob', 1);
  const released = await send('releasePayment', { path: `/admin/purchases/${failed}/release` });
  assert.deepEqual([released.status, released.body.state], [200, 'released']);
  const plain = await shelf(STORY.newSale);
  const cart = { user_id: 'ada', id: plain.items[0]!, sale_id: plain.sale };
  const final = (await send('checkout', { query: cart })).body.code;
  await send('purchase', { query: { code: final } });
  const cancelled = await send('cancelPurchase', { path: `/admin/purchases/${final}/cancel` });
  const [cancellation] = cancelled.body.cancellations;
  assert.deepEqual(cancelled.body, {
    ...STORY.cancelled,
    ...{ code: final, sale_id: plain.sale, purchased_at: cancelled.body.purchased_at },
    cancellations: [{ ...STORY.cancelled.cancellations[0], cancelled_at: cancellation.cancelled_at }],
  });
});

test('the second body of a sale is taken too', async () => {
  const { data } = (await send('createSale', { body: STORY.laterSale })).body;
  assert.deepEqual(data, { id: data.id, ...STORY.laterSale });
  const cancelled = await send('cancelSale', { path: `/admin/sales/${data.id}` });
  assert.deepEqual([cancelled.status, cancelled.body.state], [200, 'cancelled']);
});

test('who knows the ETag hears 304, as documented', async () => {
  for (const id of ['listItems', 'readImage', 'readOpenApi', 'readDocs']) {
    // What was sold by the tests before is seen within a second, in between as well.
    await until(`304 for ${id}`, async () => {
      const tag = String((await send(id)).headers.etag);
      return (await send(id, { headers: { 'If-None-Match': tag } })).status === 304;
    });
    assert.equal((await send(id, { headers: { 'If-None-Match': '"other"' } })).status, 200, id);
  }
});

test('problems are answered as documented', async () => {
  const { sale, items } = await shelf({ total_items: 4, user_limit: 1 });
  const [first, second, third] = items as [string, string, string];
  const of = (user_id: string, id: string, sale_id = sale) => ({ query: { user_id, id, sale_id } });
  const code = (await send('checkout', of('bob', first))).body.code;
  const rival = (await send('checkout', of('cleo', first))).body.code;
  const early = await shelf({ total_items: 1, started_at: inSeconds(3600), ended_at: inSeconds(7200) });
  const last = await shelf({ total_items: 1 });
  const bought = (await send('checkout', of('dan', last.items[0]!, last.sale))).body.code;

  const told: [code: string, reply: Reply][] = [
    ['validation_failed', await send('checkout', { query: { user_id: undefined } })],
    ['already_in_checkout', await send('checkout', of('bob', first))],
    ['user_limit_reached', await send('checkout', of('bob', second))],
    ['sale_not_found', await send('checkout', of('bob', first, 'S-0000000000'))],
    ['item_not_found', await send('checkout', of('bob', 'nothing'))],
    ['sale_not_active', await send('checkout', of('bob', early.items[0]!, early.sale))],
    ['validation_failed', await send('purchase', { query: { code: undefined } })],
    ['checkout_not_found', await send('purchase', { query: { code: 'nothing' } })],
    ['checkout_not_found', await send('readReceipt', { path: `/purchases/${code}` })],
  ];
  assert.equal((await send('purchase', { query: { code } })).status, 200);
  assert.equal((await send('purchase', { query: { code: bought } })).status, 200);
  told.push(
    ['item_already_sold', await send('checkout', of('eve', first))],
    ['sale_sold_out', await send('checkout', of('eve', last.items[0]!, last.sale))],
    ['all_items_sold', await send('purchase', { query: { code: rival } })],
    ['all_items_sold', await send('purchase', { query: { code: rival } })],
    ['already_processed', await postWithoutKey(code)],
    ['precondition_failed', await send('changeSale', { headers: { 'If-Match': '"0"' } })],
    ['sale_state_conflict', await send('changeSale', { body: { started_at: inSeconds(60) } })],
    ['sale_state_conflict', await send('cancelSale')],
    ['sale_paused', await send('checkout', { query: { id: STORY.page[1]!.id } })],
    ['sale_not_found', await send('readSale', { path: '/sales/S-0000000000' })],
    ['validation_failed', await send('listSales', { query: { status: 'open' } })],
    ['validation_failed', await send('listItems', { query: { limit: '1001' } })],
    ['sale_not_found', await send('listItems', { path: '/sales/S-0000000000/items' })],
    ['item_not_found', await send('readImage', { path: '/items/%20/image.svg' })],
    ['unauthorized', await send('createSale', { headers: { Authorization: 'Bearer wrong' } })],
    ['validation_failed', await send('createSale', { body: {} })],
    [
      'malformed_request',
      await send('createSale', { body: '{', headers: { 'Content-Type': 'application/json' } }),
    ],
    [
      'unsupported_media_type',
      await send('createSale', { body: '{}', headers: { 'Content-Type': 'text/plain' } }),
    ],
    [
      'body_too_large',
      await send('createSale', {
        body: 'x'.repeat(5 << 20),
        headers: { 'Content-Type': 'application/json' },
      }),
    ],
  );
  assert.deepEqual(
    told.map(([, reply]) => reply.body.code),
    told.map(([expected]) => expected),
  );
  assert.equal((await send('checkout', of('bob-2', third))).status, 200, 'and it sells on');
});

const shelf = async (body: Record<string, unknown>) =>
  addShelf({ ...http, post: (path, sent) => http.post(path, { ...sent, headers: authorization }) }, body);

/** `already_processed` is for who sends no Idempotency-Key, as the example does. */
async function postWithoutKey(code: string): Promise<Reply> {
  const reply = await http.post(`/purchase?code=${code}`);
  await assertDocumented(operationOf('purchase'), reply);
  return reply;
}

test('what any request may meet is answered as documented', async () => {
  const get = (...headers: string[]) =>
    `GET /livez HTTP/1.1\r\n${headers.map((h) => `${h}\r\n`).join('')}\r\n`;
  const met: [code: string, reply: Reply][] = [
    ['not_found', await http.get('/nothing')],
    ['method_not_allowed', await http.send('DELETE', '/checkout')],
    ['body_too_large', await http.post('/purchase?code=c', { body: 'x'.repeat((64 << 10) + 1) })],
    ['malformed_request', await sendRaw(service.url, 'hello\r\n\r\n')],
    ['headers_too_large', await sendRaw(service.url, get('Host: a', `X: ${'x'.repeat(8 << 10)}`))],
    ['expectation_failed', await sendRaw(service.url, get('Host: a', 'Connection: close', 'Expect: tea'))],
  ];
  for (const [code, reply] of met) {
    await assertDocumentedAnywhere(reply);
    assert.equal(reply.body.code, code);
  }
});

test('while Redis is silent, 503 is answered as documented', async () => {
  const { sale, items } = await shelf({ total_items: 2 });
  const cart = await send('checkout', { query: { sale_id: sale, id: items[0] } });
  const { code } = cart.body;
  signalAll(service.server('redis'), 'SIGSTOP');
  try {
    const replies = [
      await send('purchase', { query: { code } }),
      await send('purchase', { query: { code } }),
      await send('checkout', { query: { sale_id: sale, id: items[1] } }),
      await send('isReady'),
      await send('readHealth'),
    ];
    const codes = ['outcome_unknown', 'unavailable', 'unavailable', 'unavailable', undefined];
    assert.deepEqual(
      replies.map(({ status, body }) => [status, body.code]),
      codes.map((each) => [503, each]),
    );
  } finally {
    signalAll(service.server('redis'), 'SIGCONT');
  }
});
