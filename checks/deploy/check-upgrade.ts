/**
 * `npm run check -- upgrade`: the ways of docs/production.md to another release, with buyers all the time. Needs root and
 * Debian's nginx; takes about half a minute.
 */
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createService, type Service } from '../../campaigns/faults/service.ts';
import { atEnd } from '../../test/support/at-end.ts';
import { type Http, openHttp } from '../../test/support/http.ts';
import { until } from '../../test/support/processes.ts';
import { freePort } from '../../test/support/service.ts';
import { addShelf, assertProblem, checkout, fillCart, purchase } from '../../test/support/shop.ts';
import { openStores, temporaryDir } from '../../test/support/stores.ts';
import { startBuyers } from './buyers.ts';
import { startNginx } from './nginx.ts';
import { changeLayout, makeRelease, renameRelease } from './release.ts';

const dir = temporaryDir();
const stores = await openStores();
for (const name of ['one', 'two']) makeRelease(join(dir, `release-${name}`), name);
const env = { REDIS_URL: stores.redisUrl, DATABASE_URL: stores.databaseUrl };

async function serviceOf(root: string, port: number, name: string): Promise<Service> {
  const dataDir = join(dir, name);
  mkdirSync(dataDir, { recursive: true });
  const service = createService({ root, dataDir, port, env });
  atEnd(service.stop);
  await service.start();
  return service;
}

/** Which releases answer, asked a few times over new connections. */
async function releases(url: string): Promise<string[]> {
  const seen = new Set<string>();
  for (let i = 0; i < 20; i++) {
    const http = openHttp(url);
    const { body } = await http.post(`/purchase?code=CHK-S-0000000000-${i}`);
    http.close();
    seen.add(/\((.*)\)/.exec(body.message)?.[1] ?? body.message);
  }
  return [...seen];
}

/** Buys all the time on kept connections; asserts afterwards that nothing failed. */
async function whileBuying(http: Http, work: () => Promise<void>): Promise<void> {
  const shelf = await addShelf(http, { total_items: 6_000 });
  const items = [...shelf.items];
  for (let more = items; more.length > 0; items.push(...more)) {
    const page = await http.get(`/sales/${shelf.sale}/items?limit=1000&after=${items.at(-1)}`);
    more = page.body.map(({ id }: { id: string }) => id);
  }
  const buyers = startBuyers({ sale: shelf.sale, items, pauseMs: 20, http: () => http });
  await until('some purchases', () => buyers.sold.length > 50);
  await work();
  const before = buyers.sold.length;
  assert.deepEqual([...buyers.failures], []);
  await until('more purchases', () => buyers.sold.length > before + 50);
  await buyers.stop();
  console.log(`${buyers.sold.length} bought meanwhile`);
  assert.deepEqual([...buyers.failures], []);
}

test('SIGUSR2 after dist/ was replaced in place: the workers are new', async () => {
  makeRelease(join(dir, 'in-place'), 'one');
  const service = await serviceOf(join(dir, 'in-place'), await freePort(), 'data-in-place');
  const http = openHttp(service.url);
  atEnd(http.close);
  assert.deepEqual(await releases(service.url), ['one']);
  await whileBuying(http, async () => {
    renameRelease(join(dir, 'in-place'), 'one', 'two');
    const before = service.workers();
    service.signal('SIGUSR2');
    await until('other workers', () => {
      const now = service.workers();
      return now.length === 2 && now.every((pid) => !before.includes(pid));
    });
  });
  assert.deepEqual(await releases(service.url), ['two']);
  assert.equal(await service.stop(), 0);
});

test('SIGUSR2 after a symbolic link was changed: still the old release, which is known by its real path', async () => {
  const current = join(dir, 'current');
  symlinkSync(join(dir, 'release-one'), current);
  const service = await serviceOf(current, await freePort(), 'data-link');
  rmSync(current);
  symlinkSync(join(dir, 'release-two'), current);
  const before = service.workers();
  service.signal('SIGUSR2');
  await until('other workers', () => service.workers().every((pid) => !before.includes(pid)));
  assert.deepEqual(await releases(service.url), ['one']);
  assert.equal(await service.stop(), 0);
});

test('a second service on the next port, behind nginx: primary, workers and schema are new, and no request fails', async () => {
  const ports = [await freePort(), await freePort()] as const;
  const nginx = await startNginx({ upstream: ports, rate: '9999r/s' });
  const http = openHttp(nginx.url);
  atEnd(http.close);
  const [old, next] = [join(dir, 'release-one'), join(dir, 'release-two')];
  writeFileSync(
    join(next, 'sql/migrations/999_check.sql'),
    'alter table sales add column upgraded boolean;\n',
  );
  const first = await serviceOf(old, ports[0], 'data-8080');
  let last: Service | undefined;
  await whileBuying(http, async () => {
    // systemctl start flashsale@8081
    const bridge = await serviceOf(next, ports[1], 'data-8081');
    assert.deepEqual(await stores.sql('select name from migrations where number = 999'), [
      { name: '999_check.sql' },
    ]);
    assert.deepEqual(await releases(nginx.url), ['one']);
    await sleep(500);
    // systemctl restart flashsale@8080
    assert.equal(await first.stop(), 0);
    assert.deepEqual(await releases(nginx.url), ['two']);
    last = await serviceOf(next, ports[0], 'data-8080');
    // systemctl stop flashsale@8081, when nginx has found 8080 again
    await sleep(2_000);
    assert.equal(await bridge.stop(), 0);
    await sleep(500);
    assert.deepEqual(await releases(nginx.url), ['two']);
  });
  assert.equal(await last?.stop(), 0);
});

test('two boxes whose releases lay keys out differently: one sells at a time, and what was bought stays bought', async () => {
  const next = join(dir, 'release-v2');
  makeRelease(next, 'v2');
  changeLayout(next);
  const one = await serviceOf(join(dir, 'release-one'), await freePort(), 'data-v1');
  const old = openHttp(one.url);
  atEnd(old.close);
  const { sale, items } = await addShelf(old, { total_items: 20 });
  const bought = await fillCart(old, 'ada', [items[0]!], sale);
  assert.equal((await purchase(old, bought)).status, 200);

  const two = await serviceOf(next, await freePort(), 'data-v2');
  const young = openHttp(two.url);
  atEnd(young.close);
  // Its fence is not the gate's: it is not ready, and refuses; the old one, which leads, sells on.
  assert.equal((await young.get('/readyz')).status, 503);
  assertProblem(await checkout(young, 'bob', items[1]!, sale), 503, 'unavailable');
  const open = await fillCart(old, 'bob', [items[1]!], sale);
  assert.equal((await purchase(old, await fillCart(old, 'cem', [items[2]!], sale))).status, 200);

  assert.equal(await one.stop(), 0);
  await until('the new one is ready', async () => (await young.get('/readyz')).status === 200);
  // Carts are what one layout may lose; receipts and sold items it does not.
  assert.equal((await young.get(`/purchases/${bought}`)).body.total_purchased, 1);
  assert.equal((await checkout(young, 'dan', items[0]!, sale)).body.code, 'item_already_sold');
  assert.notEqual((await purchase(young, open)).status, 500);
  // Its workers learn of the new epoch one after the other.
  const sells = async (item: string) => (await checkout(young, `eve-${item}`, item, sale)).body.code;
  for (const item of items.slice(3)) {
    const code = await until(`a cart with ${item}`, async () => /^CHK-/.exec(await sells(item))?.input);
    assert.equal((await purchase(young, code)).status, 200, item);
  }
  const rows = await stores.sql(
    'select count(distinct item_id) = count(*) as once from purchases where sale_id = $1',
    sale,
  );
  assert.deepEqual(rows, [{ once: true }]);
});
