import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { keysOf } from '../src/store/keys.ts';
import { sendRaw } from './support/http.ts';
import { until } from './support/processes.ts';
import { startService } from './support/service.ts';
import { addShelf, assertProblem, receiptIn } from './support/shop.ts';
import { connectStores } from './support/stores.ts';

/** A user's id stands as it is in scripts, decisions, the outbox, the attempt log and its COPY: so every character must survive all of them. */
const ALPHABET = Array.from({ length: 94 }, (_, i) => String.fromCharCode(0x21 + i)).filter(
  (c) => c !== '"' && c !== '\\',
);
assert.equal(ALPHABET.length, 92);

const service = await startService();
const { http, url } = service;
const { redis, sql } = await connectStores(service.redisUrl, service.databaseUrl);

const random = fc.sample(
  fc.array(fc.constantFrom(...ALPHABET), { minLength: 1, maxLength: 128 }).map((chars) => chars.join('')),
  { numRuns: 30, seed: 14 },
);
const USERS = [
  ...ALPHABET.flatMap((c) => [c, `${c}${c}1${c}`]),
  ALPHABET.join(''),
  ...[
    'auth0|5f7c6ba2',
    'ada+shop@example.com',
    'gid://shopify/Customer/1?x=1&y=2#z',
    '%41',
    '%00',
    '%',
    '100%',
  ],
  ...[
    '-',
    '+a',
    '-a',
    '\\N'.replace('\\', '/'),
    '+',
    '%S+',
    '%1',
    '$1',
    "'; drop table sales; --",
    '{}'.padEnd(128, '|'),
  ],
  ...random,
].filter((user, i, all) => !user.includes(' ') && all.indexOf(user) === i);

/** As much of it unencoded as a client may send so, or all of it encoded. */
const RAW = (user: string) => user.replace(/[%&#+]/g, (c) => encodeURIComponent(c));
const ALL = (user: string) =>
  [...user].map((c) => `%${c.charCodeAt(0).toString(16).padStart(2, '0')}`).join('');
const WAYS = [
  ['close', RAW],
  ['close, x', RAW],
  ['close', ALL],
  ['close, x', encodeURIComponent],
] as const;

test('every character that a user id may have goes through checkout, purchase, outbox, rebuild, attempt log and receipt', async () => {
  const shelf = await addShelf(http, { total_items: USERS.length + 1, user_limit: 1 });
  const ask = (i: number, target: string) => {
    const [connection] = WAYS[i % WAYS.length]!;
    return sendRaw(url, `POST ${target} HTTP/1.1\r\nHost: a\r\nConnection: ${connection}\r\n\r\n`);
  };
  const targetOf = (i: number, item: string) =>
    `/checkout?user_id=${WAYS[i % WAYS.length]![1](USERS[i]!)}&id=${item}&sale_id=${shelf.sale}`;

  const codes: string[] = [];
  for (const [i, user] of USERS.entries()) {
    const reply = await ask(i, targetOf(i, shelf.items[i]!));
    assert.equal(reply.status, 200, `${user} ${reply.text}`);
    codes.push(reply.body.code);
    assert.equal(await redis.command('HGET', keysOf(shelf.sale).codes, reply.body.code), user);
  }
  for (const [i, code] of codes.entries()) {
    const reply = await http.post(`/purchase?code=${code}`);
    assert.equal(reply.status, 200, `${USERS[i]} ${reply.text}`);
    assert.deepEqual(
      reply.body.purchased_items.map((line: { id: string }) => line.id),
      [shelf.items[i]],
    );
  }
  const rows = await sql('select code, user_id, lines from decisions where sale_id = $1', shelf.sale);
  const byCode = new Map(rows.map((row) => [row.code, row]));
  for (const [i, code] of codes.entries()) {
    assert.equal(byCode.get(code)?.user_id, USERS[i]);
    assert.equal(byCode.get(code)?.lines, `+${shelf.items[i]}`);
  }
  assert.deepEqual(
    (await sql('select user_id from purchases where sale_id = $1', shelf.sale)).map((r) => r.user_id).sort(),
    [...USERS].sort(),
  );

  // The rebuilt Redis knows each of them as somebody who holds one, and answers the code again.
  await redis.command('FLUSHALL');
  await until(
    'the sale is rebuilt',
    async () => (await redis.command('GET', keysOf(shelf.sale).gate)) !== null,
  );
  const last = shelf.items.at(-1)!;
  await until('it sells again', async () => (await ask(0, targetOf(0, last))).status !== 503);
  for (const [i, user] of USERS.entries()) {
    assert.equal(await redis.command('HGET', keysOf(shelf.sale).bought, user), '1', user);
    assertProblem(await ask(i, targetOf(i, last)), 400, 'user_limit_reached');
  }
  for (const [i, code] of codes.entries()) {
    const again = await http.post(`/purchase?code=${code}`, { headers: { 'Idempotency-Key': USERS[i]! } });
    assert.equal(again.status, 200, `${USERS[i]} ${again.text}`);
    const receipt = await http.get(`/purchases/${code}`);
    assert.equal(receipt.status, 200);
    assert.deepEqual(receiptIn(receipt), again.body);
  }
  const logged = () =>
    sql(
      "select user_id, code from checkout_attempts where sale_id = $1 and outcome = 'accepted'",
      shelf.sale,
    );
  const attempts = await until('every attempt is in the log', async () => {
    const found = await logged();
    return found.length === USERS.length ? found : undefined;
  });
  const users = new Map(attempts.map((row) => [row.code, row.user_id]));
  for (const [i, code] of codes.entries()) assert.equal(users.get(code), USERS[i]);
  assert.equal((await http.get('/metrics')).status, 200);
  assert.deepEqual(
    service.log.filter((line) => 'raw' in line),
    [],
    'every line of the log is JSON',
  );
});

const REFUSED = {
  'a space': '%20',
  'a plus, which means a space': 'a+b',
  'a quotation mark': '%22',
  'a backslash': '%5C',
  'a raw backslash': '\\N',
  'a tab': 'a%09b',
  'a line feed': 'a%0A',
  'a NUL': '%00',
  DEL: '%7f',
  'a letter that is not ASCII': '%C3%A9',
  'broken percent-encoding': 'a%zz',
  'a percent sign alone': '100%',
  'half of a character': '%C3',
  '129 characters': 'x'.repeat(129),
};
for (const [what, sent] of Object.entries(REFUSED))
  test(`a user id with ${what} is refused in the lane and through Hono alike`, async () => {
    for (const connection of ['close', 'close, x']) {
      const reply = await sendRaw(
        url,
        `POST /checkout?user_id=${sent}&id=a HTTP/1.1\r\nHost: a\r\nConnection: ${connection}\r\n\r\n`,
      );
      assertProblem(reply, 400, 'validation_failed', 'errors');
      assert.match(reply.body.errors.user_id, /^user_id must be 1 to 128 printable ASCII characters/);
    }
  });
