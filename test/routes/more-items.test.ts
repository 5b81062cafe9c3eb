import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditSale } from '../../src/store/audit/audit.ts';
import { startService } from '../support/service.ts';
import { addShelf, assertProblem, checkout, fillCart, inSeconds, purchase } from '../support/shop.ts';
import { connectStores } from '../support/stores.ts';

const service = await startService({ WORKERS: '2' });
const { http } = service;
const stores = await connectStores(service.redisUrl, service.databaseUrl);

const at = (sale: string) => `/admin/sales/${sale}`;
const addItems = (sale: string, items: unknown, headers = {}) =>
  http.post(`${at(sale)}/items`, { body: { items }, headers });

test('a sale that is sold out goes on with more items and more units, through every worker, and its books agree', async () => {
  const { sale } = await addShelf(http, { items: [{ id: 'tee', name: 'Tee' }], user_limit: 3 });
  assert.equal((await purchase(http, await fillCart(http, 'ada', ['tee'], sale))).status, 200);
  assertProblem(await checkout(http, 'bob', 'tee', sale), 409, 'sale_sold_out');
  const more = [
    { id: 'tee', stock: 3 },
    { id: 'cap', name: 'Cap' },
  ];
  const key = { 'Idempotency-Key': 'more-1' };
  const added = await addItems(sale, more, key);
  assert.deepEqual(
    [added.status, added.body],
    [200, { id: sale, total_items: 4, items_added: 1, units_added: 3 }],
  );
  assert.equal((await addItems(sale, more, key)).headers['idempotent-replayed'], 'true');
  for (let i = 0; i < 10; i++)
    assert.equal((await checkout(http, `eve-${i}`, i % 2 ? 'tee' : 'cap', sale)).status, 200);
  const [bob, cleo] = [
    await fillCart(http, 'bob', ['tee', 'cap'], sale),
    await fillCart(http, 'cleo', ['tee'], sale),
  ];
  assert.equal((await purchase(http, bob)).body.failed_count, 0);
  assert.equal((await checkout(http, 'dora', 'tee', sale)).status, 200, 'one is left');
  assert.equal((await purchase(http, cleo)).body.failed_count, 0);
  assertProblem(await checkout(http, 'dora', 'tee', sale), 409, 'sale_sold_out');
  assert.deepEqual(
    (await http.get(`/sales/${sale}/items`)).body.map(({ id, sold }: { id: string; sold: boolean }) => [
      id,
      sold,
    ]),
    [
      ['tee', true],
      ['cap', true],
    ],
  );
  assert.deepEqual(await auditSale(stores.redis, stores.postgres, sale), []);
});

test('a catalogue that comes in parts at once is whole', async () => {
  const { sale } = await addShelf(http, { total_items: 2 });
  const parts = await Promise.all(
    Array.from({ length: 6 }, (_, part) =>
      addItems(
        sale,
        Array.from({ length: 300 }, () => ({ name: `Part ${part}` })),
      ),
    ),
  );
  // Whoever waits too long for the others is told to come again.
  const done = parts.filter(({ status }) => status !== 503);
  assert.deepEqual(new Set(done.map(({ status }) => status)), new Set([200]));
  assert.equal((await http.get(at(sale))).body.total_items, 2 + done.length * 300);
  assert.ok(done.length > 1);
});

test('what cannot be added is refused with the path of every fault, and nothing is added', async () => {
  const { sale } = await addShelf(http, { items: [{ id: 'tee', name: 'Tee', stock: 5 }] });
  const wrong = [
    { id: 'tee', stock: 5, name: 'Other' },
    { id: 'new' },
    { name: 'Priced', price: 100 },
    { name: 'Fine' },
  ];
  const refused = await addItems(sale, wrong);
  assertProblem(refused, 400, 'validation_failed', 'errors');
  assert.deepEqual(Object.keys(refused.body.errors), [
    'items[0].name',
    'items[0].stock',
    'items[1].name',
    'items[2].price',
  ]);
  const unknown = await addItems(sale, [{ name: 'Fine', colour: 'red' }]);
  assert.deepEqual(Object.keys(unknown.body.errors), ['items[0].colour']);
  assert.equal((await http.get(at(sale))).body.total_items, 5);
  for (const none of ['S-0000000000', '%00'])
    assertProblem(await addItems(none, [{ name: 'Fine' }]), 404, 'sale_not_found');
  const hours = { started_at: inSeconds(600), ended_at: inSeconds(1_200) };
  const { sale: cancelled } = await addShelf(http, { total_items: 1, ...hours });
  assert.equal((await http.send('DELETE', at(cancelled))).status, 200);
  assertProblem(await addItems(cancelled, [{ name: 'Fine' }]), 409, 'sale_state_conflict');
});
