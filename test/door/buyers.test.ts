import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  bearer,
  byKey,
  bySecret,
  claimsOf,
  inS,
  newSigner,
  SECRET,
} from '../../campaigns/hardening/tokens.ts';
import { type Reply, sendRaw } from '../support/http.ts';
import { readMetrics } from '../support/metrics.ts';
import { until } from '../support/processes.ts';
import { startService } from '../support/service.ts';
import { addShelf, assertProblem, fillCart, purchase } from '../support/shop.ts';
import { connectStores, temporaryDir } from '../support/stores.ts';

/** Buyers prove themselves by a secret, or by a key of a file that changes while the service runs. */
const file = join(temporaryDir(), 'keys.json');
const [first, second] = [newSigner('EdDSA', 'first'), newSigner('ES256', 'second')];
const publish = (...keys: unknown[]) => writeFileSync(file, JSON.stringify({ keys }));
publish(first.jwk);
const service = await startService({
  BUYER_SECRET: `${'x'.repeat(32)}, ${SECRET}`,
  BUYER_JWKS: file,
  BUYER_AUDIENCE: 'shop',
  BUYER_LEEWAY_S: '0',
});
const { http, url } = service;
const { sql } = await connectStores(service.redisUrl, service.databaseUrl);
const { sale, items } = await addShelf(http, { total_items: 40 });

const tokenOf = (user: string, more = {}) => bySecret(claimsOf(user, { aud: 'shop', ...more }));
const WAYS = { 'in the lane': 'close', 'through Hono': 'close, x' };
const ask = (connection: string, method: string, target: string, token?: string): Promise<Reply> => {
  const lines = [`${method} ${target} HTTP/1.1`, 'Host: a', `Connection: ${connection}`];
  if (token !== undefined) lines.push(`Authorization: Bearer ${token}`);
  return sendRaw(url, `${lines.join('\r\n')}\r\n\r\n`);
};
const next = (() => {
  let used = 0;
  return () => items[used++] as string;
})();

for (const [way, connection] of Object.entries(WAYS)) {
  const [ada, bob] = [`ada-${connection.length}`, `bob-${connection.length}`];
  const target = (query: string, item: string) => `/checkout?${query}id=${item}&sale_id=${sale}`;

  test(`with a token a checkout needs no user_id, and an equal one is good, ${way}`, async () => {
    const [one, two] = [next(), next()];
    const left = await ask(connection, 'POST', target('', one), tokenOf(ada));
    const given = await ask(connection, 'POST', target(`user_id=${ada}&`, two), tokenOf(ada));
    assert.deepEqual([left.status, given.status], [200, 200], given.text);
    assert.deepEqual([given.body.code, given.body.items_count], [left.body.code, 2]);
  });

  test(`a place in a queue is the buyer's of its token, and nobody else's, ${way}`, async () => {
    const queued = await addShelf(http, { total_items: 2, queue: { admit_per_second: 100 } });
    const joined = await ask(connection, 'POST', `/queue?sale_id=${queued.sale}`, tokenOf(ada));
    assert.equal(joined.status, 200, joined.text);
    const path = `/queue/${joined.body.ticket}`;
    await until('the turn', async () => (await ask(connection, 'GET', path, tokenOf(ada))).body.admitted);
    assertProblem(await ask(connection, 'GET', path, tokenOf(bob)), 403, 'buyer_mismatch');
    assert.equal((await ask(connection, 'GET', path)).status, 401);
    assert.equal((await ask(connection, 'POST', `/queue?sale_id=${queued.sale}`)).status, 401);
    const other = `/queue?user_id=${ada}&sale_id=${queued.sale}`;
    assertProblem(await ask(connection, 'POST', other, tokenOf(bob)), 403, 'buyer_mismatch');
    const cart = `/checkout?id=${queued.items[0]}&sale_id=${queued.sale}&ticket=${joined.body.ticket}`;
    assert.equal((await ask(connection, 'POST', cart, tokenOf(bob))).body.code, 'not_admitted');
    assert.equal((await ask(connection, 'POST', cart, tokenOf(ada))).status, 200);
  });

  test(`without a good token, nobody, ${way}`, async () => {
    const paths = [
      ['POST', target(`user_id=${ada}&`, items[0]!)],
      ['POST', '/purchase?code=nothing'],
      ['GET', '/purchases/nothing'],
    ] as const;
    for (const [method, path] of paths) {
      const missing = await ask(connection, method, path);
      assertProblem(missing, 401, 'buyer_unproven');
      assert.equal(missing.headers['www-authenticate'], 'Bearer');
      const expired = await ask(connection, method, path, tokenOf(ada, { exp: inS(-1) }));
      assertProblem(expired, 401, 'buyer_unproven');
      assert.equal(
        expired.headers['www-authenticate'],
        'Bearer error="invalid_token", error_description="The token has expired"',
      );
      assertProblem(
        await ask(connection, method, path, tokenOf(ada, { aud: 'other' })),
        401,
        'buyer_unproven',
      );
    }
  });

  test(`a token is good for no other user_id, ${way}`, async () => {
    const reply = await ask(connection, 'POST', target(`user_id=${bob}&`, items[0]!), tokenOf(ada));
    assertProblem(reply, 403, 'buyer_mismatch');
  });

  test(`a user_id beside a token must be given once, and be the same, ${way}`, async () => {
    const twice = target(`user_id=${ada}&user_id=${ada}&`, items[0]!);
    assertProblem(await ask(connection, 'POST', twice, tokenOf(ada)), 400, 'validation_failed', 'errors');
    const other = target('user_id=a%20b&', items[0]!);
    assertProblem(await ask(connection, 'POST', other, tokenOf(ada)), 403, 'buyer_mismatch');
  });

  test(`a code is bought, and its receipt read, by its buyer only, ${way}`, async () => {
    const [user, thief] = [`cleo-${connection.length}`, bob];
    const { body } = await ask(connection, 'POST', target('', next()), tokenOf(user));
    const [buy, read] = [`/purchase?code=${body.code}`, `/purchases/${body.code}`];
    assertProblem(await ask(connection, 'POST', buy, tokenOf(thief)), 403, 'buyer_mismatch');
    assertProblem(await ask(connection, 'GET', read, tokenOf(user)), 404, 'checkout_not_found');
    assert.equal((await ask(connection, 'POST', buy, tokenOf(user))).status, 200);
    assertProblem(await ask(connection, 'POST', buy, tokenOf(thief)), 403, 'buyer_mismatch');
    assertProblem(await ask(connection, 'POST', buy, tokenOf(user)), 409, 'already_processed', 'receipt');
    assertProblem(await ask(connection, 'GET', read, tokenOf(thief)), 403, 'buyer_mismatch');
    assert.equal((await ask(connection, 'GET', read, tokenOf(user))).body.total_purchased, 1);
  });

  test(`what is nobody's needs no token, ${way}`, async () => {
    for (const path of ['/livez', '/readyz', '/sales/active', `/sales/${sale}/items`, '/openapi.json'])
      assert.equal((await ask(connection, 'GET', path)).status, 200);
  });
}

test('a code that Redis has forgotten is still its buyer’s only', async () => {
  const shelf = await addShelf(http, { total_items: 1 });
  const code = await fillCart(authorized('dora'), 'dora', shelf.items, shelf.sale);
  assert.equal((await purchase(http, code, bearer(tokenOf('dora')))).status, 200);
  const { redis } = await connectStores(service.redisUrl, service.databaseUrl);
  await redis.command('HDEL', `{${shelf.sale}}:decisions`, code);
  // The lost decision is noticed, and nobody is let in for a moment.
  const reply = await until('the gate is open', async () => {
    const answer = await purchase(http, code, bearer(tokenOf('eve')));
    return answer.status === 503 ? undefined : answer;
  });
  assertProblem(reply, 403, 'buyer_mismatch');
});

/** The same client, which sends a token of this user. */
const authorized = (user: string): typeof http => ({
  ...http,
  post: (path, sent) => http.post(path, { ...sent, headers: { ...sent?.headers, ...bearer(tokenOf(user)) } }),
});

test('of a code that many post at once, only its buyer’s posts count', async () => {
  const shelf = await addShelf(http, { total_items: 1 });
  const code = await fillCart(authorized('finn'), 'finn', shelf.items, shelf.sale);
  const posts = Array.from({ length: 60 }, (_, i) =>
    purchase(http, code, bearer(tokenOf(i % 2 === 0 ? 'finn' : `thief${i}`))),
  );
  const statuses = (await Promise.all(posts)).map(({ status }) => status);
  assert.ok(statuses.every((status, i) => (i % 2 === 0 ? [200, 409].includes(status) : status === 403)));
  assert.equal(statuses.filter((status) => status === 200).length, 1);
});

test('attempts that are refused at the door are in the attempt log, a mismatch under who sent it', async () => {
  const path = (user: string) => `/checkout?user_id=${user}&id=${items[0]}&sale_id=${sale}`;
  await http.post(path('gail'));
  await http.post(path('gail'), { headers: bearer(bySecret(claimsOf('gail'), 'y'.repeat(32))) });
  await http.post(path('gail'), { headers: bearer(tokenOf('henk')) });
  const rows = () =>
    sql(
      "select user_id, item_id, outcome from checkout_attempts where user_id in ('gail', 'henk') order by at",
    );
  await until('attempts are shipped', async () => (await rows()).length >= 3);
  assert.deepEqual(await rows(), [
    { user_id: 'gail', item_id: items[0], outcome: 'buyer_unproven' },
    { user_id: 'gail', item_id: items[0], outcome: 'buyer_unproven' },
    { user_id: 'henk', item_id: items[0], outcome: 'buyer_mismatch' },
  ]);
});

test('every refusal is counted by its reason', async () => {
  const { values } = readMetrics((await http.get('/metrics')).text);
  const count = (reason: string) => values.get(`flashsale_door_refusals_total{reason="${reason}"}`);
  assert.equal(count('expired'), 6);
  assert.equal(count('forged'), 1);
  assert.equal(count('algorithm'), 0);
  for (const reason of ['missing', 'foreign', 'mismatch']) assert.ok((count(reason) ?? 0) > 0, reason);
  assert.equal(values.get('flashsale_buyer_keys'), 1);
});

test('keys rotate without a restart; a broken file keeps the last ones', async () => {
  const statusOf = async (signer: typeof first) => {
    const token = byKey(signer, claimsOf('ida', { aud: 'shop' }));
    return (await http.get('/purchases/nothing', bearer(token))).status;
  };
  assert.deepEqual([await statusOf(first), await statusOf(second)], [404, 401]);
  publish(first.jwk, second.jwk);
  await until('the new key is known', async () => (await statusOf(second)) === 404, 15_000);
  writeFileSync(file, '{"keys":');
  await service.saw('the public keys of buyers cannot be read; the last ones stand');
  assert.deepEqual([await statusOf(first), await statusOf(second)], [404, 404]);
  rmSync(file);
  publish(second.jwk);
  await until('the old key is withdrawn', async () => (await statusOf(first)) === 401, 15_000);
  assert.equal(await statusOf(second), 404);
});

test('a worker that takes a dead one’s place knows the keys', async () => {
  const token = byKey(second, claimsOf('ida', { aud: 'shop' }));
  const [pid] = (await service.workers()) as [number];
  process.kill(pid, 'SIGKILL');
  const statusOf = async () => {
    const reply = await http.get('/purchases/nothing', bearer(token)).catch(() => undefined);
    return reply?.status;
  };
  await until(
    'the next worker serves',
    async () => (await statusOf()) !== undefined && (await service.workers())[0] !== pid,
  );
  assert.equal(await statusOf(), 404);
});

test('no token is in the log', async () => {
  const token = tokenOf('secretive');
  await http.post(`/checkout?id=${items[0]}`, { headers: bearer(token) });
  assert.ok(!JSON.stringify(service.log).includes(token.split('.')[2] as string));
});

test('a user whose id is an e-mail or has a bar buys as any other, with user_id or without', async () => {
  for (const user of ['auth0|5f7c', 'ada@example.com', 'gid://shop/Customer/1']) {
    const item = next();
    const given = `/checkout?user_id=${encodeURIComponent(user)}&id=${item}&sale_id=${sale}`;
    const { body } = await http.post(given, { headers: bearer(tokenOf(user)) });
    const again = await http.post(`/checkout?id=${item}&sale_id=${sale}`, { headers: bearer(tokenOf(user)) });
    assert.equal(again.body.checkout_code, body.code);
    assert.equal((await purchase(http, body.code, bearer(tokenOf(user)))).status, 200);
  }
});
