import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readNewSale } from '../../src/intake/new-sale.ts';
import { createPace } from '../../src/intake/pace.ts';
import { startService } from '../support/service.ts';
import { addShelf, assertProblem, checkout, fillCart, inSeconds, purchase } from '../support/shop.ts';

const service = await startService({ WORKERS: '2', USER_LIMIT: '3' });
const { http } = service;
const HOUR_MS = 3_600_000;

test('a sale of a number of items is created at once, and has an hour left', async () => {
  const before = Date.now();
  const reply = await http.post('/admin/sales', { body: { total_items: 7 } });
  assert.equal(reply.status, 201);
  assert.deepEqual(Object.keys(reply.body), ['data', 'message']);
  assert.deepEqual(Object.keys(reply.body.data), ['id', 'started_at', 'ended_at', 'total_items']);
  assert.match(reply.body.message, /^Sale created/);
  const { id, started_at, ended_at, total_items } = reply.body.data;
  assert.match(id, /^S-[0-9a-f]{10}$/);
  assert.equal(total_items, 7);
  assert.equal(Date.parse(started_at) % HOUR_MS, 0);
  const left = Date.parse(ended_at) - HOUR_MS;
  assert.ok(before <= left && left < Date.now() + 1_000, ended_at);
  assert.equal(reply.headers.location, `/sales/${id}`);
  const { body } = await http.get(`/sales/${id}`);
  assert.deepEqual(body, {
    id,
    started_at,
    ended_at,
    total_items: 7,
    items_sold: 0,
    active: true,
    state: 'active',
    user_limit: 3,
  });
});

test('every worker sells from it by the time it is answered', async () => {
  const { sale, items } = await addShelf(http, { total_items: 40 });
  const replies = await Promise.all(items.map((item, i) => checkout(http, `user${i}`, item, sale)));
  assert.deepEqual(new Set(replies.map(({ status }) => status)), new Set([200]));
});

test('items may bring ids and pictures of their own, or just names', async () => {
  const { sale, items } = await addShelf(http, {
    total_items: 3,
    items: [
      { id: 'lamp:1', name: 'Lamp "Ä" <1>', image_url: 'https://example.org/lamp.png' },
      { name: 'Vase' },
      { id: 'x_2', name: 'Bowl' },
    ],
  });
  assert.deepEqual([items[0], items[2]], ['lamp:1', 'x_2']);
  const { body } = await http.get(`/sales/${sale}/items`);
  assert.deepEqual(body[0], {
    id: 'lamp:1',
    name: 'Lamp "Ä" <1>',
    image_url: 'https://example.org/lamp.png',
    sold: false,
  });
  assert.deepEqual([body[1].name, body[1].image_url], ['Vase', `/items/${items[1]}/image.svg?as=vase`]);
  assert.equal(body[2].image_url, '/items/x_2/image.svg?as=bowl');
  const bought = await purchase(http, await fillCart(http, 'ada', ['lamp:1'], sale));
  assert.equal(bought.body.purchased_items[0].name, 'Lamp "Ä" <1>');
});

test('user_limit is the limit of that sale; without it the default holds', async () => {
  for (const [limit, body] of [
    [1, { total_items: 5, user_limit: 1 }],
    [3, { total_items: 5 }],
  ] as const) {
    const { sale, items } = await addShelf(http, body);
    await fillCart(http, 'bob', items.slice(0, limit), sale);
    assertProblem(await checkout(http, 'bob', items[limit]!, sale), 400, 'user_limit_reached');
  }
});

test('times that are left out', async () => {
  const at = (time: string) => Date.parse(`2026-11-22T${time}Z`);
  const spanOf = async (times: object) => {
    const read = await readNewSale({ total_items: 1, ...times }, 10, at('18:57:59.001'), createPace());
    assert.ok('sale' in read);
    return [read.sale.startsAtMs, read.sale.endsAtMs];
  };
  assert.deepEqual(await spanOf({}), [at('18:00:00'), at('19:58:00')], 'not two minutes');
  assert.deepEqual(await spanOf({ started_at: '2026-11-22T18:30:00Z' }), [at('18:30:00'), at('19:30:00')]);
  assert.deepEqual(await spanOf({ ended_at: '2026-11-22T18:59:00Z' }), [at('18:00:00'), at('18:59:00')]);
});

test('times may be given with an offset, and sales may overlap', async () => {
  const started_at = new Date(Date.now() - 60_000).toISOString().replace(/\.\d+Z/, '+00:00');
  const body = { total_items: 2, started_at, ended_at: inSeconds(60) };
  const [one, two] = [await addShelf(http, body), await addShelf(http, body)];
  for (const { sale, items } of [one, two])
    assert.equal((await purchase(http, await fillCart(http, 'cleo', items, sale))).body.total_purchased, 2);
  assert.equal((await http.get(`/sales/${one.sale}`)).body.started_at, started_at.replace('+00:00', 'Z'));
});

test('a sale of its own does not become the sale that is meant without sale_id', async () => {
  const { id } = (await http.get('/sales/active')).body;
  await addShelf(http, { total_items: 1, started_at: inSeconds(-1), ended_at: inSeconds(60) });
  assert.equal((await http.get('/sales/active')).body.id, id);
});

const ended = { started_at: '2020-01-01T00:00:00Z', ended_at: '2020-01-01T01:00:00Z' };
const INVALID: [what: string, body: unknown, errors: Record<string, RegExp>][] = [
  ['nothing', {}, { total_items: /is required/ }],
  ['a list', [], { body: /must be a JSON object/ }],
  ['a number', 7, { body: /must be a JSON object/ }],
  ['null', null, { body: /must be a JSON object/ }],
  ['no items', { total_items: 0 }, { total_items: /from 1 to 1000000/ }],
  ['too many items', { total_items: 1_000_001 }, { total_items: /from 1 to 1000000/ }],
  ['half an item', { total_items: 1.5 }, { total_items: /whole number/ }],
  ['a number in words', { total_items: '10' }, { total_items: /whole number/ }],
  ['a limit of none', { total_items: 1, user_limit: 0 }, { user_limit: /from 1 to 100/ }],
  ['a limit past the bound', { total_items: 1, user_limit: 101 }, { user_limit: /from 1 to 100/ }],
  [
    'a time without a zone',
    { total_items: 1, started_at: '2026-11-22T08:00:00' },
    { started_at: /must be a time/ },
  ],
  [
    'a time that is none',
    { total_items: 1, ended_at: '2026-13-01T00:00:00Z' },
    { ended_at: /must be a time/ },
  ],
  ['a time as a number', { total_items: 1, ended_at: 1 }, { ended_at: /must be a time/ }],
  [
    'an end before the start',
    { total_items: 1, started_at: inSeconds(60), ended_at: inSeconds(30) },
    { ended_at: /later than started_at/ },
  ],
  ['an end that is over', { total_items: 1, ...ended }, { ended_at: /in the future/ }],
  ['a sale of a month', { total_items: 1, ended_at: inSeconds(30 * 86_400) }, { ended_at: /within 7 days/ }],
  ['an unknown field', { total_items: 1, colour: 'red' }, { colour: /not a field/ }],
  ['an empty list', { items: [] }, { items: /at least one/, total_items: /is required/ }],
  [
    'another number than items',
    { total_items: 2, items: [{ name: 'a' }] },
    { total_items: /number of items/ },
  ],
  ['an item without a name', { items: [{ id: 'a' }] }, { 'items[0].name': /must be 1 to/ }],
  ['an item that is null', { items: [null] }, { 'items[0]': /must be an object, not null/ }],
  ['a name with a line feed', { items: [{ name: 'a\nb' }] }, { 'items[0].name': /printable/ }],
  ['a name that is too long', { items: [{ name: 'x'.repeat(201) }] }, { 'items[0].name': /must be 1 to/ }],
  ['an id that is none', { items: [{ name: 'a', id: 'a b' }] }, { 'items[0].id': /1 to 64/ }],
  [
    'one id twice',
    {
      items: [
        { name: 'a', id: 'a' },
        { name: 'b', id: 'a' },
      ],
    },
    { 'items[1].id': /once/ },
  ],
  [
    'a picture that is no text',
    { items: [{ name: 'a', image_url: 7 }] },
    { 'items[0].image_url': /must be an address.*not a number/ },
  ],
  [
    'all at once',
    { total_items: 0, user_limit: 0, started_at: 'x' },
    { total_items: /./, user_limit: /./, started_at: /./ },
  ],
];
for (const [what, body, sentences] of INVALID) {
  test(`${what} is refused with a sentence for each bad field`, async () => {
    const reply = await http.post('/admin/sales', { body });
    assertProblem(reply, 400, 'validation_failed', 'errors');
    assert.deepEqual(Object.keys(reply.body.errors).sort(), Object.keys(sentences).sort());
    for (const [field, sentence] of Object.entries(sentences))
      assert.match(reply.body.errors[field], sentence);
  });
}

test('an item id is unique within its sale: another sale may list it, and each sells its own', async () => {
  const { items } = await addShelf(http, { total_items: 1 });
  const body = { items: [{ id: items[0], name: 'b', stock: 2 }] };
  const again = await addShelf(http, body);
  assert.deepEqual(again.items, items);
  const code = await fillCart(http, 'ada', items, again.sale);
  const { purchased_items: bought } = (await purchase(http, code)).body;
  assert.deepEqual(bought, [{ id: items[0], name: 'b', sold: true }]);
  const twice = await http.post('/admin/sales', { body: { items: [...body.items, ...body.items] } });
  assertProblem(twice, 400, 'validation_failed', 'errors');
});

test('a stock is 1 to 1,000,000 units; the total counts them, and must when it is given', async () => {
  const items = [{ name: 'a', stock: 1_000_000 }, { name: 'b' }];
  const created = await http.post('/admin/sales', { body: { items } });
  assert.equal(created.body.data.total_items, 1_000_001);
  for (const stock of [0, -1, 1.5, 1_000_001, '3', null]) {
    const reply = await http.post('/admin/sales', { body: { items: [{ name: 'a', stock }] } });
    assertProblem(reply, 400, 'validation_failed', 'errors');
    assert.match(reply.body.errors['items[0].stock'], /^stock must be a whole number from 1 to 1000000/);
  }
  const three = [{ name: 'a', stock: 3 }];
  assert.equal((await http.post('/admin/sales', { body: { total_items: 3, items: three } })).status, 201);
  const wrong = await http.post('/admin/sales', { body: { total_items: 1, items: three } });
  assert.match(wrong.body.errors.total_items, /number of units/);
  const csv = await http.post('/admin/sales', {
    headers: { 'Content-Type': 'text/csv' },
    body: 'id,name,stock\nx,X,4\n',
  });
  assert.equal(csv.body.data.total_items, 4);
});

test('a body that is not JSON is refused: by its type, or as malformed', async () => {
  const json = { 'Content-Type': 'application/json' };
  for (const body of ['', '{', 'total_items=1', '{"total_items":1}}', '\u0000'])
    assertProblem(await http.post('/admin/sales', { headers: json, body }), 400, 'malformed_request');
  const good = '{"total_items":1}';
  for (const headers of [{}, { 'Content-Type': 'text/plain' }, { 'Content-Type': 'application/jsonp' }])
    assertProblem(await http.post('/admin/sales', { headers, body: good }), 415, 'unsupported_media_type');
  const typed = { 'Content-Type': 'Application/JSON; charset=utf-8' };
  assert.equal((await http.post('/admin/sales', { headers: typed, body: good })).status, 201);
});

test('a body that comes in chunks, without a length, is read as any other', async () => {
  const headers = { 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked' };
  assert.equal((await http.post('/admin/sales', { headers, body: '{"total_items":1}' })).status, 201);
  assertProblem(await http.post('/admin/sales', { headers, body: '{' }), 400, 'malformed_request');
});

test('a list of items just under 4 MiB is taken, one past it is body_too_large, with a length or without', async () => {
  const listOf = (bytes: number) => {
    const item = (i: number) => `{"id":"big-${bytes}-${i}","name":"${'n'.repeat(170)}"}`;
    const items: string[] = [];
    for (let size = 0; size < bytes - 1_000; size += items.at(-1)!.length + 1) items.push(item(items.length));
    return `{"items":[${items.join(',')}]}`.padEnd(bytes);
  };
  const headers = { 'Content-Type': 'application/json' };
  const limit = 4 * 2 ** 20;
  assert.equal((await http.post('/admin/sales', { headers, body: listOf(limit) })).status, 201);
  const past = listOf(limit + 1);
  assertProblem(await http.post('/admin/sales', { headers, body: past }), 413, 'body_too_large');
  const chunked = { ...headers, 'Transfer-Encoding': 'chunked' };
  assertProblem(await http.post('/admin/sales', { headers: chunked, body: past }), 413, 'body_too_large');
});
