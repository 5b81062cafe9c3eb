import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pictureOf } from '../../src/goods/picture.ts';
import { until } from '../support/processes.ts';
import { startService } from '../support/service.ts';
import { addShelf, assertProblem, fillCart, purchase } from '../support/shop.ts';

const service = await startService();
const { http } = service;
const { sale, items } = await addShelf(http, { total_items: 150 });
const path = `/sales/${sale}/items`;
interface Item {
  readonly id: string;
  readonly sold: boolean;
}
const idsOf = (body: Item[]) => body.map(({ id }) => id);

test('a page is a plain array of items, the first 100 by default', async () => {
  const { status, headers, body } = await http.get(path);
  assert.deepEqual([status, headers['content-type']], [200, 'application/json']);
  assert.deepEqual(idsOf(body), items.slice(0, 100));
  for (const item of body) {
    assert.deepEqual(Object.keys(item), ['id', 'name', 'image_url', 'sold']);
    assert.match(item.name, /^[A-Z]/);
    assert.equal(item.image_url, `/items/${item.id}/image.svg`);
    assert.equal(item.sold, false);
  }
  assert.equal(new Set(body.map(({ name }: { name: string }) => name)).size, 100);
});

test('the items of the active sale need no id', async () => {
  const active = (await http.get('/sales/active')).body.id;
  const [named, meant] = [
    await http.get(`/sales/${active}/items?limit=3`),
    await http.get('/sales/active/items?limit=3'),
  ];
  assert.deepEqual([meant.status, meant.body], [200, named.body]);
  assert.equal(
    meant.headers.link,
    named.headers.link,
    'the next page is of the same sale, whatever the hour',
  );
});

test('limit and after choose a page', async () => {
  assert.deepEqual(idsOf((await http.get(`${path}?limit=3`)).body), items.slice(0, 3));
  assert.deepEqual(idsOf((await http.get(`${path}?limit=2&after=${items[2]}`)).body), items.slice(3, 5));
  assert.deepEqual(idsOf((await http.get(`${path}?limit=1000`)).body), items);
  assert.deepEqual((await http.get(`${path}?after=${items.at(-1)}`)).body, []);
});

test('behind an item that is not of the sale comes no page: it is refused', async () => {
  const other = await addShelf(http, { total_items: 1 });
  for (const after of [other.items[0], 'nothing']) {
    const reply = await http.get(`${path}?after=${after}`);
    assertProblem(reply, 400, 'validation_failed', 'errors');
    assert.match(reply.body.errors.after, /^after must be an item of this sale/);
  }
});

test('following the links leads to every item once, and then ends', async () => {
  const seen: string[] = [];
  let pages = 0;
  for (let next: string | undefined = `${path}?limit=40`; next; pages++) {
    const { headers, body } = await http.get(next);
    seen.push(...idsOf(body));
    next = /^<([^>]+)>; rel="next"$/.exec(String(headers.link ?? ''))?.[1];
  }
  assert.deepEqual(seen, items);
  assert.equal(pages, 4);
  assert.equal((await http.get(`${path}?limit=150`)).headers.link, undefined);
});

test('a sold item is shown as sold, and left out of what is available, on every page', async () => {
  const sold = items.slice(0, 2);
  await purchase(http, await fillCart(http, 'ada', sold, sale));
  // A page may be a second old.
  const soldOf = async (target: string) =>
    (await http.get(target)).body.map((item: Item) => item.sold).join();
  await until('they are shown', async () => (await soldOf(`${path}?limit=3`)) === 'true,true,false');
  const first = await until('they are left out', async () => {
    const reply = await http.get(`${path}?limit=3&available=true`);
    return idsOf(reply.body)[0] === items[2] && reply;
  });
  assert.deepEqual(idsOf(first.body), items.slice(2, 5));
  assert.match(String(first.headers.link), /available=true/);
  assert.deepEqual(idsOf((await http.get(`${path}?limit=3&available=false`)).body), items.slice(0, 3));
});

test('a page that has not changed is 304 to who knows its ETag', async () => {
  const first = await http.get(`${path}?limit=5`);
  const tag = String(first.headers.etag);
  assert.match(tag, /^"[\w-]+"$/);
  assert.equal(first.headers['cache-control'], 'max-age=1');
  for (const known of [tag, `W/${tag}`, `"other", ${tag}`, '*']) {
    const reply = await http.get(`${path}?limit=5`, { 'If-None-Match': known });
    assert.deepEqual([reply.status, reply.text, reply.headers.etag], [304, '', tag], known);
    assert.equal(reply.headers['cache-control'], 'max-age=1');
  }
  assert.equal((await http.get(`${path}?limit=5`, { 'If-None-Match': '"other"' })).status, 200);
  await purchase(http, await fillCart(http, 'bob', [items[4]!], sale));
  const changed = await until('another page', async () => {
    const reply = await http.get(`${path}?limit=5`, { 'If-None-Match': tag });
    return reply.status === 200 && reply;
  });
  assert.notEqual(changed.headers.etag, tag);
});

test('HEAD has the headers of GET, without a body', async () => {
  const get = await http.get(`${path}?limit=5`);
  const head = await http.send('HEAD', `${path}?limit=5`);
  assert.deepEqual([head.status, head.text], [200, '']);
  for (const name of ['etag', 'link', 'cache-control', 'content-type'])
    assert.equal(head.headers[name], get.headers[name]);
});

test('a bad page is refused with every bad field named', async () => {
  for (const [query, fields] of Object.entries({
    'limit=0': ['limit'],
    'limit=1001': ['limit'],
    'limit=-1': ['limit'],
    'limit=1.5': ['limit'],
    'limit=ten': ['limit'],
    'limit=1&limit=1': ['limit'],
    'after=%20': ['after'],
    'available=yes': ['available'],
    'limit=0&after=%7B&available=1': ['limit', 'after', 'available'],
  })) {
    const reply = await http.get(`${path}?${query}`);
    assertProblem(reply, 400, 'validation_failed', 'errors');
    assert.deepEqual(Object.keys(reply.body.errors), fields, query);
    for (const [field, sentence] of Object.entries(reply.body.errors))
      assert.match(String(sentence), new RegExp(`^${field} must be`));
  }
});

test('the picture of an item that a shop named shows what its name says', async () => {
  const named = [
    { id: 'a', name: 'Rustic Lamp' },
    { id: 'b', name: 'Sneaker' },
  ];
  const shelf = await addShelf(http, { items: named });
  const [lamp, other] = (await http.get(`/sales/${shelf.sale}/items`)).body;
  assert.deepEqual(
    [lamp.image_url, other.image_url],
    ['/items/a/image.svg?as=table-lamp', '/items/b/image.svg'],
  );
  const drawn = (await http.get(lamp.image_url)).text;
  assert.notEqual(drawn, (await http.get('/items/a/image.svg?as=vase')).text);
  assert.equal(drawn, pictureOf('a', undefined, 'Table Lamp'));
  assert.equal((await http.get('/items/b/image.svg')).text, pictureOf('b'));
  const reply = await http.get('/items/a/image.svg?as=sneaker');
  assertProblem(reply, 400, 'validation_failed', 'errors');
  assert.deepEqual(reply.body.errors, { as: 'as must be a kind of thing that is drawn here' });
});

test('the picture of an item is an SVG that never changes', async () => {
  const { status, headers, text } = await http.get(`/items/${items[0]}/image.svg`);
  assert.deepEqual([status, headers['content-type']], [200, 'image/svg+xml']);
  assert.match(text, /^<svg xmlns="http:\/\/www.w3.org\/2000\/svg".*<\/svg>$/s);
  assert.equal(headers['cache-control'], 'public, max-age=31536000, immutable');
  assert.equal((await http.get(`/items/${items[0]}/image.svg`)).text, text);
  const known = await http.get(`/items/${items[0]}/image.svg`, { 'If-None-Match': String(headers.etag) });
  assert.deepEqual([known.status, known.text], [304, '']);
  assert.equal((await http.send('HEAD', `/items/${items[0]}/image.svg`)).text, '');
});

test('a picture of what cannot be an item is item_not_found', async () => {
  for (const id of ['a%20b', '%3Csvg%3E', 'x'.repeat(65), '%zz'])
    assertProblem(await http.get(`/items/${id}/image.svg`), 404, 'item_not_found');
});
