import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createShop, type LiveMessage } from '../../client/index.ts';
import { createAsk, NO_HEADERS, NO_PEER, NO_QUERY } from '../../src/http/asked.ts';
import type { RouteDeps } from '../../src/routes/deps.ts';
import { liveEndpoint } from '../../src/routes/live.ts';
import { atEnd } from '../support/at-end.ts';
import { assertDocumented, operationOf } from '../support/contract.ts';
import { until } from '../support/processes.ts';
import { startService } from '../support/service.ts';
import { addShelf, assertProblem, fillCart, inSeconds, purchase } from '../support/shop.ts';

/** What happens in a sale, heard by the client through every worker, over real sockets. */
const service = await startService({ WORKERS: '2' });
const { http, url } = service;
const shop = createShop({ baseUrl: `${url}/` });

/** Listens on a connection of its own. */
function listen(sale: string) {
  const heard: LiveMessage[] = [];
  const state = { heard, opened: 0, ended: false };
  const left = new AbortController();
  atEnd(() => left.abort());
  void (async () => {
    const stream = shop.live(sale, { signal: left.signal, onOpen: () => state.opened++ });
    for await (const message of stream) heard.push(message);
    state.ended = true;
  })().catch(() => {});
  return { ...state, state, leave: () => left.abort() };
}

test('a purchase through one worker is heard through all of them; the stream ends with the sale', async () => {
  const { sale, items } = await addShelf(http, { total_items: 3 });
  const listeners = Array.from({ length: 8 }, () => listen(sale));
  await until('all hear', () => listeners.every(({ heard }) => heard.length > 0));
  assert.deepEqual(listeners[0]?.heard[0], {
    items_sold: 0,
    items_held: 0,
    items_left: 3,
    state: 'active',
    items: {},
  });
  await purchase(http, await fillCart(http, 'ada', [items[1]!], sale));
  await until('all heard of it', () => listeners.every(({ heard }) => heard.at(-1)?.items_left === 2));
  for (const { heard } of listeners)
    assert.deepEqual(Object.assign({}, ...heard.map((each) => each.items)), { [items[1]!]: 0 });
  const ended = await http.send('PATCH', `/admin/sales/${sale}`, { body: { ended_at: 'now' } });
  assert.equal(ended.status, 200, ended.text);
  await until('all ended', () => listeners.every(({ state }) => state.ended));
  assert.equal(listeners[0]?.heard.at(-1)?.state, 'ended');
  const over = await http.get(`/sales/${sale}/live`);
  assert.deepEqual([over.status, over.text], [204, '']);
  await assertDocumented(operationOf('listenToSale'), over);
});

test('a listener whose worker is killed listens to another', async () => {
  const { sale, items } = await addShelf(http, { total_items: 2 });
  const listeners = Array.from({ length: 4 }, () => listen(sale));
  await until('all hear', () => listeners.every(({ heard }) => heard.length > 0));
  const [pid] = await service.workers();
  process.kill(pid!, 'SIGKILL');
  // Our own connection to it is closed by then.
  await service.saw('a worker died');
  await purchase(http, await fillCart(http, 'ada', [items[0]!], sale));
  await until('all heard of it', () => listeners.every(({ heard }) => heard.at(-1)?.items_left === 1));
  for (const { leave } of listeners) leave();
});

test('a stream is what the contract says, and a sale that nobody knows has none', async () => {
  const { sale } = await addShelf(http, { total_items: 1, ended_at: inSeconds(600) });
  const left = new AbortController();
  const response = await fetch(`${url}/sales/${sale}/live`, { signal: left.signal });
  const reader = response.body!.getReader();
  const { value } = await reader.read();
  left.abort();
  assert.match(new TextDecoder().decode(value), /^retry: 1000\n\n/);
  const headers = Object.fromEntries(response.headers);
  await assertDocumented(operationOf('listenToSale'), {
    ...{ status: response.status, headers, text: 'data: …', body: undefined },
  });
  assertProblem(await http.get('/sales/S-0000000000/live'), 404, 'sale_not_found');
  assert.equal((await http.send('HEAD', `/sales/${sale}/live`)).status, 200);
});

test('listeners are bounded: past the bound the answer is 503, and a place that is left is free', async () => {
  const facts = { id: 'S-0123456789', startsAtMs: 0, endsAtMs: Date.now() + 60_000 };
  const deps = { liveSales: { find: () => ({ facts }) }, ticker: {} } as unknown as RouteDeps;
  const endpoint = liveEndpoint(deps);
  const asked = createAsk()({
    ...{ route: endpoint, method: 'GET', path: '/sales/S-0123456789/live', params: { id: facts.id } },
    ...{ query: NO_QUERY, headers: NO_HEADERS, peer: NO_PEER },
  });
  const answers = [];
  for (let i = 0; i < 5_000; i++) answers.push(await endpoint.answer(asked));
  assert.ok(answers.every(({ stream }) => stream !== undefined));
  assert.equal((await endpoint.answer(asked)).code, 'overloaded');
  answers[0]?.stream?.onEnd();
  assert.equal((await endpoint.answer(asked)).status, 200);
});
