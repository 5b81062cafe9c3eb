import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keysOf } from '../../src/store/keys.ts';
import { until } from '../support/processes.ts';
import { startService } from '../support/service.ts';
import { addShelf, assertProblem, checkout, fillCart, inSeconds, purchase } from '../support/shop.ts';
import { connectStores } from '../support/stores.ts';

/** What a shop really sends to POST /admin/sales. */
const service = await startService();
const { http } = service;
const { redis } = await connectStores(service.redisUrl, service.databaseUrl);
const JSON_TYPE = { 'Content-Type': 'application/json' };
const CSV = { 'Content-Type': 'text/csv; charset=utf-8' };
const postText = (body: string, headers = JSON_TYPE) => http.post('/admin/sales', { headers, body });
const postTable = (body: string, query = '') => http.post(`/admin/sales${query}`, { headers: CSV, body });

test('prices, data, currency and name come back; items without them are as ever', async () => {
  const items = [
    { id: 'p-1', name: 'Shirt', price: 3_900, data: { size: 'M', tags: ['a', null], n: 1.5 } },
    { id: 'p-2', name: 'Gift', price: 0 },
    { id: 'p-3', name: 'Vase', image_url: '/vase.png', data: {} },
    { id: 'p-4', name: 'Vase', image_url: 'https://shop.example/vase.png?w=1&h=2' },
  ];
  const { sale } = await addShelf(http, { currency: 'EUR', name: 'Friday drop', items });
  const { body, text } = await http.get(`/sales/${sale}/items`);
  assert.deepEqual(body[0].data, items[0]!.data);
  assert.deepEqual(
    body.map((item: { price?: number }) => item.price),
    [3_900, 0, undefined, undefined],
  );
  assert.ok(
    text.endsWith(
      '{"id":"p-4","name":"Vase","image_url":"https://shop.example/vase.png?w=1&h=2","sold":false}]',
    ),
  );
  const read = (await http.get(`/sales/${sale}`)).body;
  assert.deepEqual([read.currency, read.name, 'loading' in read], ['EUR', 'Friday drop', false]);
  const plain = await addShelf(http, { total_items: 1 });
  const fields = [
    'id',
    'started_at',
    'ended_at',
    'total_items',
    'items_sold',
    'active',
    'state',
    'user_limit',
  ];
  assert.deepEqual(Object.keys((await http.get(`/sales/${plain.sale}`)).body), fields);
  const [item] = (await http.get(`/sales/${plain.sale}/items`)).body;
  assert.deepEqual(Object.keys(item), ['id', 'name', 'image_url', 'sold']);
});

/** As text: an object cannot hold all of this. */
const REFUSED: [what: string, body: string, errors: Record<string, RegExp>][] = [
  [
    'F17: a quantity',
    '{"items":[{"name":"Poster","quantity":500}]}',
    { 'items[0].quantity': /quantity is not a field of an item/ },
  ],
  ['F17: a misspelt name', '{"items":[{"nmae":"x","name":"x"}]}', { 'items[0].nmae': /is not a field/ }],
  [
    'F37: __proto__',
    '{"items":[{"__proto__":1,"name":"x"}],"__proto__":{}}',
    { 'items[0].__proto__': /not a field of an item/, ['__proto__']: /not a field of a sale/ },
  ],
  ['F37: zero-width space', '{"items":[{"name":"\\u200b"}]}', { 'items[0].name': /not all of them blank/ }],
  ['F21: blanks', '{"items":[{"name":"  "}]}', { 'items[0].name': /not all of them blank/ }],
  ['a control character', '{"items":[{"name":"a\\u0085b"}]}', { 'items[0].name': /printable/ }],
  [
    'F21: a script',
    '{"items":[{"name":"a","image_url":"javascript:alert(1)"}]}',
    { 'items[0].image_url': /begins with https/ },
  ],
  [
    'F21: a relative path',
    '{"items":[{"name":"a","image_url":"x"}]}',
    { 'items[0].image_url': /begins with https/ },
  ],
  [
    'another host by two slashes',
    '{"items":[{"name":"a","image_url":"//evil.example/a"}]}',
    { 'items[0].image_url': /begins with https/ },
  ],
  [
    'a data URL',
    '{"items":[{"name":"a","image_url":"data:image/svg+xml,<svg/>"}]}',
    { 'items[0].image_url': /begins/ },
  ],
  [
    'F18: February 30th',
    '{"total_items":1,"started_at":"2027-02-30T00:00:00Z"}',
    { started_at: /must be a time/ },
  ],
  ['F18: April 31st', '{"total_items":1,"ended_at":"2027-04-31T00:00:00Z"}', { ended_at: /must be a time/ }],
  ['24:00', '{"total_items":1,"started_at":"2027-02-03T24:00:00Z"}', { started_at: /must be a time/ }],
  [':60', '{"total_items":1,"started_at":"2027-02-03T10:00:60Z"}', { started_at: /must be a time/ }],
  [
    'an offset of a day',
    '{"total_items":1,"started_at":"2027-02-03T10:00:00+24:00"}',
    { started_at: /must be a time/ },
  ],
  [
    'F18: the year 10000 by default',
    '{"total_items":1,"started_at":"9999-12-31T23:30:00Z"}',
    { ended_at: /before the year 10000/ },
  ],
  [
    'the year 10000 by an offset',
    '{"total_items":1,"started_at":"9999-12-31T23:30:00-01:00"}',
    { started_at: /must be a time/ },
  ],
  [
    'a price without a currency',
    '{"items":[{"name":"a","price":1}]}',
    { 'items[0].price': /price needs the currency/ },
  ],
  [
    'a price as a decimal',
    '{"currency":"EUR","items":[{"name":"a","price":12.5}]}',
    { 'items[0].price': /1250 for 12.50/ },
  ],
  [
    'a price as a text',
    '{"currency":"EUR","items":[{"name":"a","price":"12"}]}',
    { 'items[0].price': /whole number.*, not a text$/ },
  ],
  ['a currency that is none', '{"currency":"ABC","total_items":1}', { currency: /ISO 4217/ }],
  [
    'data that is no object',
    '{"items":[{"name":"a","data":[]}]}',
    { 'items[0].data': /must be an object, not a list/ },
  ],
  [
    'data past 1 KiB',
    `{"items":[{"name":"a","data":{"a":"${'é'.repeat(510)}"}}]}`,
    { 'items[0].data': /at most 1024 bytes/ },
  ],
  [
    'a name of a sale that is null',
    '{"total_items":1,"name":null}',
    { name: /must be 1 to 200 printable.*not null/ },
  ],
  [
    'F20: an id thrice',
    '{"items":[{"id":"t","name":"a"},{"id":"t","name":"a"},{"id":"t","name":"a"}]}',
    { 'items[1].id': /once: items\[0\] has t too/, 'items[2].id': /once: items\[0\]/ },
  ],
];
for (const [what, body, sentences] of REFUSED)
  test(`refused with its path: ${what}`, async () => {
    const reply = await postText(body);
    assertProblem(reply, 400, 'validation_failed', 'errors');
    assert.deepEqual(Object.keys(reply.body.errors).sort(), Object.keys(sentences).sort());
    for (const [path, sentence] of Object.entries(sentences)) assert.match(reply.body.errors[path], sentence);
  });

test('of many errors the first 20 are named, and all are counted', async () => {
  const items = Array.from({ length: 500 }, () => ({ nmae: 'x', name: 'x' }));
  const { errors } = (await http.post('/admin/sales', { body: { items } })).body;
  assert.equal(Object.keys(errors).length, 21);
  assert.equal(errors.more, '480 more errors are not named');
});

test('F20: what one sale has, another may list again, and each sells its own', async () => {
  const items = [{ id: 'again-1', name: 'a' }];
  const [first, second] = [await addShelf(http, { items }), await addShelf(http, { items })];
  const code = await fillCart(http, 'ada', ['again-1'], first.sale);
  assert.equal((await purchase(http, code)).status, 200);
  const soldIn = async (sale: string) => (await http.get(`/sales/${sale}/items`)).body[0].sold;
  assert.deepEqual([await soldIn(first.sale), await soldIn(second.sale)], [true, false]);
  assert.equal((await checkout(http, 'bob', 'again-1', second.sale)).status, 200);
});

test('F22: a byte-order mark is no error, and broken JSON says where it is broken', async () => {
  assert.equal((await postText('\uFEFF{"total_items":1}')).status, 201);
  const reply = await postText('{\n  "total_items": 1,\n}');
  assertProblem(reply, 400, 'malformed_request');
  assert.match(
    reply.body.detail,
    /^The request cannot be read: line 3, column 1: the name of a field is expected/,
  );
  assert.equal(reply.body.message, reply.body.detail);
  for (const body of ['{"total_items":1,"total_items":2}', '{"items":[{"name":"a","name":"b"}]}'])
    assert.match((await postText(body)).body.detail, /is given twice/);
  assert.match((await postText('{"items":[{"name":"\\ud83d"}]}')).body.detail, /half of a surrogate pair/);
});

test('a query beside a JSON body is refused, and so are other charsets', async () => {
  const reply = await http.post('/admin/sales?user_limit=2', { body: { total_items: 1 } });
  assert.deepEqual(reply.body.errors, { user_limit: 'user_limit belongs into the body, not into the query' });
  const latin = { 'Content-Type': 'application/json; charset=iso-8859-1' };
  assertProblem(await postText('{"total_items":1}', latin), 415, 'unsupported_media_type');
});

test('a table as Excel saves it becomes a sale; its other facts are in the query', async () => {
  const query = `?currency=EUR&name=Friday%20drop&user_limit=2&started_at=${inSeconds(-60)}&ended_at=${inSeconds(600)}`;
  const table = '\uFEFFid;name;price;image_url\r\nc-1;"Mug ""Ä""";1250;\r\nc-2;"Mug; large";;/mug.png\r\n';
  const reply = await postTable(table, query.replaceAll(':', '%3A'));
  assert.equal(reply.status, 201, reply.text);
  const { id, total_items } = reply.body.data;
  assert.equal(total_items, 2);
  const { body } = await http.get(`/sales/${id}/items`);
  assert.deepEqual(body, [
    { id: 'c-1', name: 'Mug "Ä"', image_url: '/items/c-1/image.svg?as=mug', sold: false, price: 1_250 },
    { id: 'c-2', name: 'Mug; large', image_url: '/mug.png', sold: false },
  ]);
  const sale = (await http.get(`/sales/${id}`)).body;
  assert.deepEqual([sale.user_limit, sale.currency, sale.name], [2, 'EUR', 'Friday drop']);
});

test('errors of a table name their lines', async () => {
  const table = 'id,name,price\nd-1,Mug,12.50\n"d-2\n",a,1\nd 3,,1\nd-1,"a\nb",\n';
  const reply = await postTable(table, '?currency=EUR&user_limit=x&colour=red');
  assertProblem(reply, 400, 'validation_failed', 'errors');
  const { errors } = reply.body;
  assert.deepEqual(Object.keys(errors).sort(), [
    'colour',
    'line 2, price',
    'line 3, id',
    'line 5, id',
    'line 5, name',
    'line 6, id',
    'user_limit',
  ]);
  assert.match(
    errors['line 2, price'],
    /^price must be a whole number of minor units \(1250 for 12.50\).*not a text$/,
  );
  assert.match(errors['line 6, id'], /^id must occur once: line 2 has d-1 too$/);
  const broken = await postTable('id,name\nd-1,Mug,1\n');
  assertProblem(broken, 400, 'malformed_request');
  assert.match(broken.body.detail, /line 2: this row has another number of cells than the header\.$/);
  assertProblem(await postTable('id,name\n'), 400, 'validation_failed', 'errors');
  const latin = await http.post('/admin/sales', { headers: CSV, body: 'id\nx' });
  assert.equal(latin.status, 400);
});

test('F36: a large sale is told as it comes, others are served meanwhile, and in the end every item is for sale', async () => {
  const total = 60_000;
  let isMade = false;
  const making = http.post('/admin/sales', { body: { total_items: total } }).finally(() => {
    isMade = true;
  });
  while (!isMade) assert.equal((await http.get('/sales?limit=1')).status, 200);
  const reply = await making;
  assert.ok([201, 202].includes(reply.status), reply.text);
  const { id } = reply.body.data;
  assert.equal(reply.headers.location, `/sales/${id}`);
  const loaded: number[] = [];
  const whole = () =>
    until(
      'it is loaded',
      async () => {
        const { body } = await http.get(`/sales/${id}`);
        assert.equal('loaded' in body, 'loading' in body);
        if (body.loading) loaded.push(body.loaded);
        return body.loading === undefined ? body : undefined;
      },
      60_000,
    );
  assert.equal((await whole()).total_items, total);
  const last = `${id.slice(2)}-${(total - 1).toString(36).padStart(4, '0')}`;
  assert.equal((await checkout(http, 'ada', last, id)).status, 200);
  // Redis loses what it has of the sale, which is loaded again.
  loaded.length = 0;
  await redis.command('DEL', keysOf(id).sale);
  await whole();
  // All of it was there until the rebuild cleared it.
  const shares = loaded.filter((share) => share < 1);
  assert.deepEqual(
    shares,
    [...shares].sort((x, y) => x - y),
  );
  assert.ok((shares.at(-1) ?? 0) > 0, String(loaded));
  assert.equal((await checkout(http, 'bob', last, id)).status, 200);
});
