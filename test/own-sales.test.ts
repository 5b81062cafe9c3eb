/** A shop that only sells in sales of its own: `HOURLY_SALES=off`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { banner } from '../src/primary/banner.ts';
import { openHttp } from './support/http.ts';
import { readMetrics } from './support/metrics.ts';
import { until } from './support/processes.ts';
import { startService } from './support/service.ts';
import { addShelf, assertProblem, checkout, fillCart, inSeconds, purchase } from './support/shop.ts';

const WORKERS = 2;
const service = await startService({ HOURLY_SALES: 'off', WORKERS: String(WORKERS) });
const { http } = service;

/** What every worker answers: connections are opened until each has had one. */
async function askAll<T>(ask: (via: typeof http) => Promise<T>): Promise<T[]> {
  const bySlot = new Map<string, T>();
  await until('an answer of every worker', async () => {
    const via = openHttp(service.url);
    const { headers } = await via.get('/livez');
    // A request id begins with the run and the slot's own process.
    bySlot.set(String(headers['x-request-id']).split('-')[0]!, await ask(via));
    via.close();
    return bySlot.size === WORKERS;
  });
  return [...bySlot.values()];
}
const scrape = async () => readMetrics((await http.get('/metrics')).text).values;

test('no sale is made, the service is ready, and no sale is meant', async () => {
  assert.equal((await http.get('/readyz')).status, 200);
  assert.deepEqual((await http.get('/sales')).body, []);
  assertProblem(await http.get('/sales/active'), 404, 'sale_not_found');
  assertProblem(await checkout(http, 'ada', 'lamp-1'), 404, 'sale_not_found');
  const figures = await scrape();
  assert.equal(figures.has('sale_items_total'), false);
  assert.equal(figures.has('flashsale_hourly_sales'), false);
});

test('a sale of one’s own needs no sale_id, through any worker', async () => {
  await addShelf(http, { items: [{ id: 'lamp-1', name: 'Lamp' }], started_at: inSeconds(-60) });
  const { sale } = await addShelf(http, {
    items: [
      { id: 'vase-1', name: 'Vase' },
      { id: 'vase-2', name: 'Vase' },
    ],
    started_at: inSeconds(-10),
  });
  await addShelf(http, { total_items: 1, started_at: inSeconds(600) });
  const meant = await askAll(async (via) => (await via.get('/sales/active')).body.id);
  assert.deepEqual(meant, Array(WORKERS).fill(sale), 'the newest that is open');
  const bought = await purchase(http, await fillCart(http, 'ada', ['vase-1']));
  assert.deepEqual([bought.status, bought.body.total_purchased], [200, 1]);
  assertProblem(await checkout(http, 'ada', 'lamp-1'), 404, 'item_not_found');
  const figures = await scrape();
  assert.equal(figures.get('sale_items_total'), 2);
  assert.equal(figures.get('sale_items_sold'), 1);
});

test('where hourly sales are on, an answer that comes from the wrong sale says how to name another', async () => {
  const hourly = await startService({ SALE_ITEMS: '1' });
  const own = await addShelf(hourly.http, { items: [{ id: 'lamp-1', name: 'Lamp' }] });
  const lost = await checkout(hourly.http, 'ada', 'lamp-1');
  assertProblem(lost, 404, 'item_not_found');
  assert.match(lost.body.message, /give its sale_id\.$/);
  const [only] = (await hourly.http.get('/sales/active/items')).body;
  await purchase(hourly.http, await fillCart(hourly.http, 'bob', [only.id]));
  const soldOut = await until('the hourly sale is sold out', async () => {
    const reply = await checkout(hourly.http, 'ada', 'lamp-1');
    return reply.body.code === 'sale_sold_out' && reply;
  });
  assert.match(soldOut.body.message, /give its sale_id\.$/);
  assert.equal((await checkout(hourly.http, 'ada', 'lamp-1', own.sale)).status, 200);
  const figures = readMetrics((await hourly.http.get('/metrics')).text).values;
  assert.equal(figures.get('flashsale_hourly_sales'), 2, 'of this hour and the next');
  assert.equal(figures.get('sale_items_total'), 1, 'of the hourly sale');
  const starts = (sale: string) => figures.get(`flashsale_sale_starts_timestamp_seconds{sale="${sale}"}`);
  const ends = (sale: string) => figures.get(`flashsale_sale_ends_timestamp_seconds{sale="${sale}"}`);
  for (const { id, started_at, ended_at } of (await hourly.http.get('/sales')).body)
    assert.deepEqual([starts(id), ends(id)], [Date.parse(started_at) / 1_000, Date.parse(ended_at) / 1_000]);
  await hourly.stop();
});

test('the banner tells who makes sales', () => {
  const shown = (hourlySales: 'on' | 'off') =>
    banner({ hourlySales, workers: 1 }, { url: 'http://x', readyMs: 100, offer: undefined });
  assert.match(shown('on'), /No hourly sale is open\./);
  assert.match(shown('off'), /POST \/admin\/sales/);
});
