import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { bearer, bySecret, claimsOf, SECRET } from '../../campaigns/hardening/tokens.ts';
import { type Reply, sendRaw } from '../support/http.ts';
import { readMetrics } from '../support/metrics.ts';
import { until } from '../support/processes.ts';
import { startService } from '../support/service.ts';
import { addShelf } from '../support/shop.ts';
import { connectStores } from '../support/stores.ts';

/** Each request of the test says which address it comes from: the test itself is a proxy that the service trusts. */
const service = await startService({
  RATE_ADDRESS: '0.05,5',
  RATE_USER: '0.02, 3',
  RATE_EXEMPT: '198.51.100.0/24, 127.0.0.1',
  TRUSTED_PROXIES: '127.0.0.0/8, ::1',
  ADMIN_TOKEN: 'admin-token',
});
const { http, url } = service;
const shelf = await addShelf(http, { total_items: 10 }, { Authorization: 'Bearer admin-token' });
const WAYS = { 'in the lane': 'close', 'through Hono': 'close, x' };
const ask = (connection: string, method: string, target: string, ...headers: string[]): Promise<Reply> =>
  sendRaw(
    url,
    [`${method} ${target} HTTP/1.1`, 'Host: a', ...headers, `Connection: ${connection}`, '', ''].join('\r\n'),
  );
const from = (address: string) => `X-Forwarded-For: ${address}`;

async function statuses(times: number, send: (i: number) => Promise<Reply>): Promise<number[]> {
  const got: number[] = [];
  for (let i = 0; i < times; i++) got.push((await send(i)).status);
  return got;
}

function assertLimited(reply: Reply, what: 'user' | 'address', policy: string): void {
  assert.deepEqual([reply.status, reply.body.code], [429, 'rate_limited'], reply.text);
  const wait = Number(reply.headers['retry-after']);
  assert.ok(wait >= 1 && wait <= 60, `Retry-After: ${wait}`);
  assert.equal(reply.headers.ratelimit, `"${what}";r=0;t=${wait}`);
  assert.equal(reply.headers['ratelimit-policy'], `"${what}";${policy}`);
}

for (const [nth, [way, connection]] of Object.entries(WAYS).entries()) {
  const net = `203.0.${nth}`;

  test(`an address has its burst, whatever it asks for, and then waits, ${way}`, async () => {
    const targets = ['/sales/active', '/nothing', '/openapi.json', '/shards', '/docs'];
    const got = await statuses(5, (i) => ask(connection, 'GET', targets[i]!, from(`${net}.1`)));
    assert.ok(!got.includes(429), got.join());
    assertLimited(await ask(connection, 'GET', '/sales/active', from(`${net}.1`)), 'address', 'q=5;w=100');
    assertLimited(await ask(connection, 'OPTIONS', '/checkout', from(`${net}.1`)), 'address', 'q=5;w=100');
    assert.equal((await ask(connection, 'GET', '/sales/active', from(`${net}.2`))).status, 200);
  });

  test(`what the client writes before the proxy changes nothing, ${way}`, async () => {
    const tricks = (i: number) => [
      [from(`10.9.8.${i}, ${net}.3`)],
      [from(`1.1.1.${i}`), from(`${net}.3`)],
      [`Forwarded: for=9.9.9.${i}`, from(`${net}.3`)],
      [`X-Real-IP: 9.9.9.${i}`, from(`${net}.3`)],
      [from(`::ffff:${net}.3`)],
      [from(`${net}.3:${4_000 + i}`)],
    ];
    const got = await statuses(12, (i) => ask(connection, 'GET', '/sales/active', ...tricks(i)[i % 6]!));
    assert.deepEqual(got, [...Array(5).fill(200), ...Array(7).fill(429)]);
  });

  test(`addresses of one /64 are one, ${way}`, async () => {
    const got = await statuses(7, (i) => ask(connection, 'GET', '/shards', from(`2001:db8:${nth}:7::${i}`)));
    assert.deepEqual(got, [...Array(5).fill(200), 429, 429]);
    assert.equal((await ask(connection, 'GET', '/shards', from(`2001:db8:${nth}:8::1`))).status, 200);
  });

  test(`a crowd behind an exempt address is let in, ${way}`, async () => {
    const got = await statuses(20, () => ask(connection, 'GET', '/shards', from('198.51.100.7')));
    assert.deepEqual(new Set(got), new Set([200]));
  });

  test(`probes and the operator are not counted; who guesses the token is, ${way}`, async () => {
    for (const path of ['/livez', '/readyz', '/health', '/metrics'])
      assert.deepEqual(
        new Set(await statuses(7, () => ask(connection, 'GET', path, from(`${net}.4`)))),
        new Set([200]),
      );
    const admin = (token: string) => (): Promise<Reply> =>
      ask(
        connection,
        'POST',
        '/admin/sales',
        from(`${net}.4`),
        `Authorization: Bearer ${token}`,
        'Content-Length: 0',
      );
    const right = await statuses(7, admin('admin-token'));
    assert.ok(!right.includes(429) && !right.includes(401), right.join());
    assert.deepEqual(await statuses(6, admin('guess')), [...Array(5).fill(401), 429]);
  });

  test(`a user has his burst from any address, ${way}`, async () => {
    const user = `ada${nth}`;
    const target = `/checkout?user_id=${user}&id=nothing&sale_id=${shelf.sale}`;
    // Nobody else can use it up: only requests that name their buyer so count.
    const others = [`/carts/x?user_id=${user}`, `/queue/x?user_id=${user}`, `/purchases/x?user_id=${user}`];
    assert.deepEqual(
      await statuses(6, (i) => ask(connection, 'GET', others[i % 3]!, from('198.51.100.1'))),
      Array(6).fill(404),
    );
    const got = await statuses(4, (i) => ask(connection, 'POST', target, from(`198.51.100.${i}`)));
    assert.deepEqual(got, [404, 404, 404, 429]);
    assertLimited(await ask(connection, 'POST', target), 'user', 'q=3;w=150');
  });
}

test('attempts that are refused for their rate are in the attempt log, and counted by reason', async () => {
  const { sql } = await connectStores(service.redisUrl, service.databaseUrl);
  const rows = () =>
    sql(
      "select outcome, count(*)::int as n from checkout_attempts where user_id like 'ada%' group by outcome order by outcome",
    );
  const wanted = [
    { outcome: 'item_not_found', n: 6 },
    { outcome: 'rate_limited', n: 4 },
  ];
  await until('attempts are shipped', async () => JSON.stringify(await rows()) === JSON.stringify(wanted));
  const { values } = readMetrics((await http.get('/metrics')).text);
  assert.equal(values.get('flashsale_door_refusals_total{reason="user_rate"}'), 4);
  assert.ok((values.get('flashsale_door_refusals_total{reason="address_rate"}') ?? 0) > 20);
  await service.stop();
});

test('two workers give one user his rate and at most two bursts, over any number of connections', async () => {
  const [perSecond, burst] = [20, 10];
  const two = await startService({ WORKERS: '2', RATE_USER: `${perSecond},${burst}`, BUYER_SECRET: SECRET });
  const headers = bearer(bySecret(claimsOf('bot')));
  const beganMs = performance.now();
  let passed = 0;
  let asked = 0;
  const client = async () => {
    while (performance.now() - beganMs < 4_000) {
      const { status } = await two.http.get('/purchases/nothing', headers);
      asked++;
      if (status !== 429) passed++;
      await sleep(10);
    }
  };
  await Promise.all(Array.from({ length: 16 }, client));
  const owed = perSecond * ((performance.now() - beganMs) / 1_000);
  assert.ok(
    passed >= burst && passed <= owed + 2 * burst + perSecond / 4,
    `${passed} of ${asked} passed, ${owed} are his`,
  );
  assert.ok(asked > 2 * passed, 'it was a flood');
});
