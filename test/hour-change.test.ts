import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { generateItems } from '../src/goods/catalogue.ts';
import { createKeeper } from '../src/primary/duties/keeper.ts';
import { createRetirer, LINGER_MS } from '../src/primary/duties/retirer.ts';
import { scheduleSales } from '../src/primary/duties/scheduler.ts';
import type { LiveSale } from '../src/sale.ts';
import { createLiveSales } from '../src/selling/live-sales.ts';
import { createSale, isSellable } from '../src/store/sales.ts';
import { until } from './support/processes.ts';
import { startService } from './support/service.ts';
import { checkout, purchase } from './support/shop.ts';
import { connectStores } from './support/stores.ts';

const service = await startService({ SALE_ITEMS: '20' });
const { http } = service;
const { redis, postgres, sql } = await connectStores(service.redisUrl, service.databaseUrl);
const log = pino({ level: 'silent' });
const HOUR_MS = 3_600_000;
/** An hour of another year, so that the service's own sales are not in the way. */
const NOON = Date.UTC(2031, 5, 1, 12);

const hourly = (id: string, startsAtMs: number, endsAtMs = startsAtMs + HOUR_MS): LiveSale => ({
  id,
  startsAtMs,
  endsAtMs,
  total: 1,
  userLimit: 1,
  hourly: true,
  epoch: 1,
});
function liveSalesOf(sales: readonly LiveSale[], hourlySales = true) {
  const shard = { openSale: () => {}, closeSale: () => {} };
  const live = createLiveSales({
    hourlySales,
    redis,
    postgres,
    readers: postgres,
    shard,
    onError: assert.ifError,
  });
  live.update(sales);
  return live;
}

test('without an id the newest hourly sale that is open at the time is meant: never two, never none', () => {
  const own = { ...hourly('own', NOON + HOUR_MS / 2), hourly: false };
  const live = liveSalesOf([hourly('noon', NOON), hourly('one', NOON + HOUR_MS), own]);
  const meant = (atMs: number) => live.find(undefined, atMs)?.facts.id;
  assert.equal(meant(NOON - 1), undefined);
  assert.equal(meant(NOON), 'noon');
  assert.equal(meant(NOON + HOUR_MS - 1), 'noon');
  assert.equal(meant(NOON + HOUR_MS), 'one');
  assert.equal(meant(NOON + 2 * HOUR_MS - 1), 'one');
  assert.equal(meant(NOON + 2 * HOUR_MS), undefined);
  assert.equal(live.find('own', NOON)?.facts.id, 'own');
  assert.equal(live.find('nothing'), undefined);
});

test('where hourly sales are off the newest other sale is meant, and one that is left over takes no place', () => {
  const own = (id: string, startsAtMs: number) => ({ ...hourly(id, startsAtMs), hourly: false });
  const sales = [own('early', NOON), own('late', NOON + HOUR_MS / 2), hourly('left over', NOON + HOUR_MS)];
  const live = liveSalesOf(sales, false);
  const meant = (atMs: number) => live.find(undefined, atMs)?.facts.id;
  assert.equal(meant(NOON - 1), undefined);
  assert.equal(meant(NOON), 'early');
  assert.equal(meant(NOON + HOUR_MS / 2), 'late');
  assert.equal(meant(NOON + HOUR_MS), 'late');
  assert.equal(meant(NOON + 1.5 * HOUR_MS), undefined);
  assert.equal(live.find('left over', NOON + HOUR_MS)?.facts.id, 'left over');
});

test('of hourly sales that overlap the one that began last is meant', () => {
  const live = liveSalesOf([hourly('late', NOON + 1_000), hourly('early', NOON)]);
  assert.equal(live.find(undefined, NOON + 2_000)?.facts.id, 'late');
  assert.equal(live.find(undefined, NOON + 500)?.facts.id, 'early');
});

test('a sale that is told again keeps its queues and takes on the newer epoch; one that is not told is gone', () => {
  const live = liveSalesOf([hourly('noon', NOON)]);
  const before = live.find('noon')!;
  live.update([{ ...hourly('noon', NOON), epoch: 2 }, hourly('one', NOON + HOUR_MS)]);
  assert.equal(live.find('noon'), before);
  assert.equal(live.find('noon')!.facts.epoch, 2);
  live.update([hourly('one', NOON + HOUR_MS)]);
  assert.equal(live.find('noon'), undefined);
});

test('this hour and the next have a sale on the hour, however often and whenever it is scheduled', async () => {
  const options = { postgres, log, items: 4, userLimit: 3 };
  const scheduled = async () => {
    const rows = await sql(
      `select (extract(epoch from starts_at) * 1000)::float8 as starts, (extract(epoch from ends_at) * 1000)::float8 as ends,
              total, user_limit, hourly from sales where starts_at >= '2031-06-01' order by starts_at`,
    );
    return rows.map(({ starts, ends, ...rest }) => ({
      hour: (Number(starts) - NOON) / HOUR_MS,
      ms: Number(ends) - Number(starts),
      ...rest,
    }));
  };
  const facts = { ms: HOUR_MS, total: 4, user_limit: 3, hourly: true };
  await scheduleSales(options, NOON + 17 * 60_000 + 123);
  assert.deepEqual(
    await scheduled(),
    [0, 1].map((hour) => ({ hour, ...facts })),
  );
  for (const ms of [0, 1, HOUR_MS - 1]) await scheduleSales(options, NOON + ms);
  assert.equal((await scheduled()).length, 2);
  await Promise.all([scheduleSales(options, NOON + HOUR_MS), scheduleSales(options, NOON + HOUR_MS)]);
  assert.deepEqual(
    await scheduled(),
    [0, 1, 2].map((hour) => ({ hour, ...facts })),
  );
  await sql(`update sales set retired = true where starts_at >= '2031-06-01'`);
});

test('the change of the hour has no gap and no overlap, while customers check out all the time', async () => {
  const start = Date.now() + 1_500;
  const sale = (startsAtMs: number, endsAtMs: number) =>
    createSale(postgres, { startsAtMs, endsAtMs, total: 20, userLimit: 100, hourly: true });
  const old = (await sale(Date.now() - 1, start))!;
  const next = (await sale(start, start + 5_000))!;
  const live = (id: string) => generateItems(id, 20).map((item) => item.id);
  const [oldItem = '', newItem = ''] = [live(old)[0], live(next)[0]];
  await until('the old sale is meant', async () => (await http.get('/sales/active')).body.id === old);
  await until('it sells', async () => (await checkout(http, 'first', oldItem)).status === 200);

  const told: string[] = [];
  const taken: string[] = [];
  for (let user = 0; Date.now() < start + 500; user++) {
    const active = await http.get('/sales/active');
    assert.equal(active.status, 200, 'there is always an active sale');
    told.push(active.body.id);
    const replies = [await checkout(http, `a${user}`, oldItem), await checkout(http, `b${user}`, newItem)];
    const codes = replies.map(({ status, body }) => (status === 200 ? body.code.slice(4, 16) : body.code));
    const sold = replies.findIndex(({ status }) => status === 200);
    if (sold >= 0) taken.push(codes[sold]);
    assert.ok(
      codes.every((code) => [old, next, 'item_not_found', 'sale_not_active'].includes(code)),
      String(codes),
    );
  }
  for (const seen of [told, taken]) {
    assert.deepEqual([...new Set(seen)], [old, next], 'one change, in this order');
    assert.ok(seen.indexOf(next) > seen.lastIndexOf(old), 'and none back');
  }
});

test('a cart of the old sale is not sold in the new one, and its item ids mean nothing there', async () => {
  const startsAtMs = Date.now() + 800;
  const sale = (from: number, to: number) =>
    createSale(postgres, { startsAtMs: from, endsAtMs: to, total: 2, userLimit: 5, hourly: true });
  const old = (await sale(startsAtMs - 10_000, startsAtMs))!;
  const next = (await sale(startsAtMs, startsAtMs + 60_000))!;
  const [item = ''] = generateItems(old, 2).map(({ id }) => id);
  const reply = await until('the old sale sells', async () => {
    const found = await checkout(http, 'ada', item, old);
    return found.status === 200 && found;
  });
  await until('the new sale is meant', async () => (await http.get('/sales/active')).body.id === next);
  assert.equal((await purchase(http, reply.body.code)).body.code, 'sale_not_active');
  assert.equal((await checkout(http, 'ada', item)).body.code, 'item_not_found');
  assert.equal((await checkout(http, 'ada', item, next)).body.code, 'item_not_found');
});

test('the keeper keeps what may still be asked for, and retires what ended a while ago', async () => {
  const now = Date.now();
  const sale = (from: number, to: number) =>
    createSale(postgres, { startsAtMs: from, endsAtMs: to, total: 2, userLimit: 5, hourly: false });
  const lingering = (await sale(now - HOUR_MS, now - LINGER_MS / 2))!;
  const over = (await sale(now - HOUR_MS, now - LINGER_MS - 1_000))!;
  let kept: readonly LiveSale[] = [];
  const onSalvaged = (_: string, decisions: number) => assert.equal(decisions, 0);
  const stores = { redis, postgres, log, onContradiction: assert.fail, onSalvaged };
  const onDifference = () => assert.fail('the books differ');
  const retirer = createRetirer({ ...stores, sales: () => kept, onDifference });
  const keep = createKeeper({ ...stores, isRetiring: retirer.isRetiring });
  await until('the sale that is over is retired', async () => {
    await keep((sales) => {
      kept = sales;
    });
    await retirer.retire(AbortSignal.timeout(30_000));
    const [row] = await sql('select retired from sales where id = $1', over);
    return row!.retired === true;
  });
  await keep((sales) => {
    kept = sales;
  });
  const ids = kept.map(({ id }) => id);
  assert.deepEqual([ids.includes(lingering), ids.includes(over)], [true, false]);
  assert.equal(await isSellable(redis, kept.find(({ id }) => id === lingering)!), true);
});
