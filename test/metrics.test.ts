/** Starts first: it takes among the longest. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { kindOf } from '../src/store/query-kinds.ts';
import { openHttp } from './support/http.ts';
import { readMetrics, type Samples } from './support/metrics.ts';
import { until } from './support/processes.ts';
import { startService } from './support/service.ts';
import { addShelf, checkout, fillCart, purchase } from './support/shop.ts';

const service = await startService({ WORKERS: '2', SALE_ITEMS: '40' });
const { http } = service;

/** A scrape must end within its bound: the wait for silent workers and for Redis, and room for a busy machine. */
const SCRAPE_MS = 2_000;

async function scrape(): Promise<Samples> {
  const client = openHttp(service.url);
  const reply = await Promise.race([
    client.get('/metrics'),
    new Promise<never>((_, reject) =>
      setTimeout(() => reject(new Error('the scrape hangs')), SCRAPE_MS).unref(),
    ),
  ]).finally(() => client.close());
  assert.equal(reply.status, 200, reply.text);
  assert.equal(reply.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  return readMetrics(reply.text);
}

const sumOf = (samples: Samples, series: RegExp) =>
  [...samples.values].filter(([name]) => series.test(name)).reduce((sum, [, value]) => sum + value, 0);

/** Whether a series only grows. */
const isCounted = ({ types }: Samples, series: string) => {
  const name = series.replace(/\{.*/, '');
  const isPart = types.get(name.replace(/_(bucket|sum|count)$/, '')) === 'histogram';
  return isPart || types.get(name) === 'counter';
};
const assertGrown = (before: Samples, after: Samples) => {
  for (const [series, value] of before.values) {
    if (!isCounted(before, series)) continue;
    const now = after.values.get(series);
    assert.ok(now !== undefined && now >= value, `${series} was ${value} and is ${now}`);
  }
};

test('every request is counted once, whichever worker answered, with what became of it', async () => {
  const { sale, items } = await addShelf(http, { total_items: 20, user_limit: 20 });
  const before = await scrape();
  const clients = Array.from({ length: 8 }, () => openHttp(service.url));
  const one = (i: number) => clients[i % clients.length]!;
  const codes = await Promise.all(
    items.map(async (item, i) => (await checkout(one(i), `u${i}`, item, sale)).body.code),
  );
  await Promise.all(codes.map((code, i) => purchase(one(i), code)));
  await Promise.all(codes.map((code, i) => purchase(one(i + 1), code)));
  await Promise.all(codes.slice(0, 5).map((code, i) => purchase(one(i), code, { 'Idempotency-Key': '1' })));
  await Promise.all(items.map((item, i) => checkout(one(i), 'late', item, sale)));
  await one(0).post('/checkout?user_id=&id=x');
  await one(0).send('DELETE', '/checkout');
  await one(0).send('PROPFIND', '/sales');
  for (const path of ['/no/such/path', '/neither', `/purchases/${codes[0]}`]) await one(0).get(path);
  for (const client of clients) client.close();
  const after = await scrape();

  const grown = (series: string) => (after.values.get(series) ?? 0) - (before.values.get(series) ?? 0);
  const requests = (labels: string) => grown(`http_requests_total{${labels}}`);
  assert.equal(requests('handler="/checkout",method="POST",status_code="200"'), 20);
  assert.equal(requests('handler="/checkout",method="POST",status_code="409"'), 20);
  assert.equal(requests('handler="/checkout",method="POST",status_code="400"'), 1);
  assert.equal(requests('handler="/checkout",method="DELETE",status_code="405"'), 1);
  assert.equal(requests('handler="/sales",method="other",status_code="405"'), 1);
  assert.equal(requests('handler="/purchase",method="POST",status_code="200"'), 25);
  assert.equal(requests('handler="/purchase",method="POST",status_code="409"'), 20);
  assert.equal(requests('handler="/purchases/:code",method="GET",status_code="200"'), 1);
  assert.equal(requests('handler="other",method="GET",status_code="404"'), 2);
  const labels = 'handler="/purchase",method="POST",status_code="200"';
  assert.equal(grown(`http_request_duration_seconds_bucket{${labels},le="+Inf"}`), 25);
  assert.equal(grown(`http_request_duration_seconds_count{${labels}}`), 25);
  assert.equal(grown('checkout_attempts_total'), 41);
  assert.equal(grown('checkout_success_total'), 20);
  assert.equal(grown('checkout_failure_total{reason="validation_failed"}'), 1);
  assert.equal(grown('purchase_attempts_total'), 45);
  assert.equal(grown('purchase_success_total'), 25);
  assert.equal(grown('purchase_failure_total{reason="already_processed"}'), 20);
  assert.equal(after.values.get('purchase_failure_total{reason="outcome_unknown"}'), 0);
  assert.equal(grown('flashsale_purchase_replays_total'), 5);
  assert.equal(grown('sale_items_sold_total'), 20);
  assert.equal(
    grown('flashsale_batch_size_sum{batch="checkout"}'),
    20 + 20 - refusedFromMemory(before, after),
  );
  assert.equal(grown('flashsale_batch_size_sum{batch="purchase"}'), 45);
  assert.equal(after.values.get(`flashsale_sale_items{sale="${sale}"}`), 20);
  assert.equal(after.values.get(`flashsale_sale_items_sold{sale="${sale}"}`), 20);
  assert.equal(after.values.get(`flashsale_gate_open{sale="${sale}"}`), 1);
  assert.equal(after.values.get('sale_items_total'), 40);
});

const refusedFromMemory = (before: Samples, after: Samples) => {
  const refusals = /^flashsale_shard_refusals_total/;
  const kinds = [...after.values.keys()].filter((name) => refusals.test(name));
  assert.equal(kinds.length, 4);
  return sumOf(after, refusals) - sumOf(before, refusals);
};

test('every name of the contract is there, with its labels', async () => {
  await http.get('/sales/active');
  const { types, values } = await scrape();
  const labels = 'handler="[^"]+",method="[^"]+",status_code="[0-9]{3}"';
  const contract: Record<string, [type: string, series: RegExp]> = {
    http_request_duration_seconds: ['histogram', RegExp(`_bucket\\{${labels},le="0.0005"\\}$`)],
    http_requests_total: ['counter', RegExp(`l\\{${labels}\\}$`)],
    sale_items_total: ['gauge', /l$/],
    sale_items_sold: ['gauge', /d$/],
    sale_items_sold_total: ['counter', /l$/],
    checkout_attempts_total: ['counter', /l$/],
    checkout_success_total: ['counter', /l$/],
    checkout_failure_total: ['counter', /\{reason="[a-z_]+"\}$/],
    purchase_attempts_total: ['counter', /l$/],
    purchase_success_total: ['counter', /l$/],
    purchase_failure_total: ['counter', /\{reason="[a-z_]+"\}$/],
    db_query_duration_seconds: ['histogram', /_count\{query_type="insert",table="purchases"\}$/],
    db_connections_active: ['gauge', /e$/],
    db_connections_idle: ['gauge', /e$/],
    redis_command_duration_seconds: ['histogram', /_count\{command="checkout"\}$/],
    process_resident_memory_bytes: ['gauge', /s$/],
    process_cpu_seconds_total: ['counter', /l$/],
  };
  for (const [name, [type, series]] of Object.entries(contract)) {
    assert.equal(types.get(name), type, name);
    assert.ok(
      [...values.keys()].some((key) => key.startsWith(name) && series.test(key)),
      `${name} has no series like ${series}`,
    );
  }
});

test('docs/metrics.md names every metric of ours, and no other', async () => {
  const { types } = await scrape();
  const page = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
  const documented = [...page.matchAll(/^\| `(\w+)` \| (\w+) \|/gm)].map((row) => [row[1], row[2]] as const);
  assert.ok(documented.length > 40);
  for (const [name, type] of documented) assert.equal(types.get(name!), type, name);
  const names = new Set(documented.map(([name]) => name));
  const missing = [...types.keys()].filter((name) => !/^(process|nodejs)_/.test(name) && !names.has(name));
  assert.deepEqual(missing, []);
});

test('the figures of a process are there for each, and their sum is that of all', async () => {
  const samples = await scrape();
  const of = (name: string) => [0, 1].map((slot) => samples.values.get(`${name}{process="worker-${slot}"}`)!);
  for (const name of ['process_resident_memory_bytes', 'process_cpu_seconds_total']) {
    const each = [samples.values.get(`flashsale_${name}{process="primary"}`)!, ...of(`flashsale_${name}`)];
    const sum = each.reduce((total, value) => total + value, 0);
    assert.ok(each.every((value) => value > 0));
    assert.ok(Math.abs(sum / samples.values.get(name)! - 1) < 1e-6, name);
  }
});

test('workers that die, also in the middle of a scrape, take no counter back and hold up no scrape', async () => {
  const { sale, items } = await addShelf(http, { total_items: 200 });
  let over = false;
  const shop = async (n: number) => {
    const client = openHttp(service.url);
    for (let i = n; !over; i += 4) {
      await checkout(client, `w${i}`, items[i % items.length]!, sale).catch(() => {});
      await sleep(5);
    }
    client.close();
  };
  const shops = Promise.all([0, 1, 2, 3].map(shop));
  let last = await scrape();
  let read = 0;
  for (let kill = 0; kill < 4; kill++) {
    const pids = await service.workers();
    const scraping = scrape().catch((error: NodeJS.ErrnoException) => {
      // The worker that was asked may be the one that is killed.
      assert.match(String(error.code), /ECONNRESET|ECONNREFUSED|EPIPE/, String(error));
      return undefined;
    });
    process.kill(pids[kill % 2]!, 'SIGKILL');
    const deaths = kill + 1;
    const samples = [await scraping];
    await until('the death is known', async () => {
      const now = await scrape();
      samples.push(now);
      return now.values.get('flashsale_worker_deaths_total') === deaths;
    });
    for (const now of samples) {
      if (now === undefined) continue;
      assertGrown(last, now);
      last = now;
      read++;
    }
    await until('both serve', async () => (await scrape()).values.get('flashsale_workers') === 2);
    await until('both are known', async () => {
      const after = await service.workers();
      return after.length === 2 && !after.includes(pids[kill % 2]!);
    });
  }
  over = true;
  await shops;
  assert.ok(read >= 4);
  assertGrown(last, await scrape());
  assert.equal((await scrape()).values.get('flashsale_worker_starts_total'), 6);
});

test('a rolling restart loses nothing, and what the primary keeps does not grow with it', async () => {
  const { sale, items } = await addShelf(http, { total_items: 10 });
  for (const [i, item] of items.entries()) await fillCart(http, `r${i}`, [item], sale);
  const before = await scrape();
  service.child.kill('SIGHUP');
  await until('two more workers', async () => {
    const now = await scrape();
    assertGrown(before, now);
    return now.values.get('flashsale_worker_starts_total') === 8 && now.values.get('flashsale_workers') === 2;
  });
  await service.saw('rolling restart done');
  const after = await scrape();
  assertGrown(before, after);
  const gone = [...after.values.keys()].filter((series) => !before.values.has(series));
  assert.deepEqual(
    gone.filter((series) => /worker|process=/.test(series)),
    [],
  );
});

test('scrapes at the same time are answered, all of them', async () => {
  const all = await Promise.all(Array.from({ length: 20 }, scrape));
  for (const samples of all) assert.ok(samples.values.size > 100);
});

test('with METRICS=off there are none', async () => {
  const off = await startService({ METRICS: 'off' });
  assert.equal((await off.http.get('/metrics')).status, 404);
  await off.stop();
});

test('every statement has its kind', async () => {
  const dir = new URL('../../sql/', import.meta.url);
  const inTransactions = [
    'add_segment',
    'claim_admin_key',
    'commit_kept',
    'commit_kept_units',
    'commit_payments',
    'commit_units',
    'copy_attempts',
    'insert_items',
    'insert_queue',
    'insert_sale',
    'item_stocks',
    'keep_admin_answer',
    'let_go_admin_key',
    'lock_due_payments',
    'lock_for_items',
    'lock_payment',
    'lock_purchase',
    'lock_sale',
    'note_returns',
    'raise_stocks',
    'raise_total',
    'read_admin_answer',
    'rename_decisions',
    'rename_purchases',
    'settle_payments',
    'tell_pending',
    'tell_purchase',
    'tell_purchases',
    'withdraw_returned',
  ];
  const names = readdirSync(dir).flatMap((file) => /^(\w+)\.sql$/.exec(file)?.[1] ?? []);
  const unknown = names.filter((name) => kindOf(name)[0] === 'other');
  assert.deepEqual(unknown.sort(), inTransactions);
});
