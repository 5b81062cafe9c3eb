import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { preferred } from '../../src/http/accept.ts';
import { assertDocumented, operationOf } from '../support/contract.ts';
import type { Reply } from '../support/http.ts';
import { signalAll, until } from '../support/processes.ts';
import { startService } from '../support/service.ts';
import { addShelf, assertProblem, fillCart, purchase } from '../support/shop.ts';
import { connectStores } from '../support/stores.ts';

const TOKEN = 's3cret';
const service = await startService({ ADMIN_TOKEN: TOKEN });
const { http, url } = service;
const { sql } = await connectStores(service.redisUrl, service.databaseUrl);
const admin = { Authorization: `Bearer ${TOKEN}` };
const CSV = { ...admin, Accept: 'text/csv' };
const NDJSON = { ...admin, Accept: 'application/x-ndjson' };

async function ask(path: string, headers: Record<string, string> = admin): Promise<Reply> {
  const reply = await http.get(path, headers);
  await assertDocumented(operationOf('listPurchases'), reply);
  return reply;
}

/** Names that a spreadsheet would run, or split. */
const NAMES = ['=1+1', '+1', '-1', '@SUM(A1)', '\uff1d1', 'a, "b"', 'Ä; ö', "plain 'name'"];
const { sale, items } = await addShelf(
  http,
  { items: NAMES.map((name, i) => ({ id: i === 2 ? '-minus' : `item-${i}`, name })) },
  admin,
);
const list = `/admin/sales/${sale}/purchases`;
const codes: string[] = [];
for (const [i, item] of items.entries()) {
  const code = await fillCart(http, i < 2 ? 'ada' : `user-${i}`, [item], sale);
  const loser = await fillCart(http, `late-${i}`, [item], sale);
  assert.equal((await purchase(http, code)).status, 200);
  assert.equal((await purchase(http, loser)).status, 409);
  codes.push(code);
}
codes.sort();

/** So many purchases, each with so long a name, that no socket holds their export. */
const MANY = 100_000;
const large = await addShelf(http, { total_items: 1 }, admin);
for (let from = 1; from < MANY; from += 25_000)
  await sql(
    `insert into decisions (code, sale_id, user_id, decided_at, lines)
     select 'CHK-' || $1::text || '-' || md5(n::text), $1, rpad('user-' || n, 250, '-'), now(), '+none-' || n
     from generate_series($2::int, $2::int + 24999) n`,
    large.sale,
    from,
  );
const all = `/admin/sales/${large.sale}/purchases`;

test('following the links of a listing leads to every purchase once, and to nobody who bought nothing', async () => {
  const seen: string[] = [];
  for (let next: string | undefined = `${list}?limit=3`; next; ) {
    const { headers, body } = await ask(next);
    seen.push(...body.map(({ code }: { code: string }) => code));
    next = /^<([^>]+)>; rel="next"$/.exec(String(headers.link ?? ''))?.[1];
    assert.equal(headers['cache-control'], 'no-store');
  }
  assert.deepEqual(seen, codes);
});

test('a purchase is found by its user, its code and its item', async () => {
  const [own] = (await ask(`${list}?item_id=${items[4]}`)).body;
  assert.deepEqual(own, {
    code: own.code,
    sale_id: sale,
    user_id: 'user-4',
    purchased_at: own.purchased_at,
    state: 'final',
    purchased_items: [{ id: items[4], name: NAMES[4], sold: true }],
    total_purchased: 1,
    failed_count: 0,
  });
  assert.deepEqual((await ask(`${list}?code=${own.code}`)).body, [own]);
  assert.deepEqual((await ask(`${list}?user_id=user-4&state=final`)).body, [own]);
  assert.deepEqual((await ask(`${list}?code=${own.code}&user_id=user-5`)).body, []);
  assert.deepEqual((await ask(`${list}?code=${own.code}&state=pending`)).body, []);
  assert.deepEqual((await ask(`${list}?item_id=${items[4]}&user_id=user-5`)).body, []);
  assert.deepEqual((await ask(`${list}?code=${own.code}&after=${own.code}`)).body, []);
  const both = await ask(`${list}?user_id=ada&limit=1`);
  assert.match(String(both.headers.link), /limit=1&after=CHK-.*&user_id=ada>; rel="next"$/);
  assert.equal((await ask(`${list}?user_id=ada`)).body.length, 2);
});

test('what cannot be asked is refused', async () => {
  const bad = [
    'limit=1001',
    'state=lost',
    'after=x',
    'user=ada',
    'code=x',
    `code=CHK-S-0000000000-${'0'.repeat(32)}`,
  ];
  for (const query of bad) assertProblem(await ask(`${list}?${query}`), 400, 'validation_failed', 'errors');
  assertProblem(await ask(`${list}?limit=5`, CSV), 400, 'validation_failed', 'errors');
  assertProblem(await ask('/admin/sales/S-0000000000/purchases'), 404, 'sale_not_found');
  assertProblem(await ask('/admin/sales/x/purchases'), 404, 'sale_not_found');
  assertProblem(await ask(list, {}), 401, 'unauthorized');
});

test('as CSV, a row per bought item, in which a spreadsheet runs nothing', async () => {
  const { text, headers } = await ask(list, CSV);
  assert.equal(headers['transfer-encoding'], 'chunked');
  const [head, ...rows] = parseCsv(text);
  assert.deepEqual(head, [
    ...['purchased_at', 'code', 'user_id', 'state', 'item_id', 'item_name'],
    ...['quantity', 'price', 'cancelled'],
  ]);
  assert.deepEqual(
    rows.map(([, code]) => code),
    codes,
  );
  for (const cell of rows.flat()) assert.doesNotMatch(cell, /^[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/);
  const names = rows.map((cells) => cells[5]!);
  assert.deepEqual(names.map((name) => name.replace(/^'(?=[=+@\-\uff1d])/, '')).sort(), [...NAMES].sort());
  assert.ok(rows.some((cells) => cells[4] === "'-minus"));
});

/** The rows of a CSV as RFC 4180 has it. */
function parseCsv(text: string): string[][] {
  assert.ok(text.endsWith('\r\n'));
  return text
    .slice(0, -2)
    .split(/\r\n(?=(?:[^"]*"[^"]*")*[^"]*$)/)
    .map((row) =>
      [...row.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))/g)].map(
        ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain!,
      ),
    );
}

test('as NDJSON, a line per purchase, as in the pages; a HEAD has no body', async () => {
  const { text } = await ask(`${list}?after=${codes[2]}`, NDJSON);
  const lines = text.trimEnd().split('\n');
  assert.deepEqual(
    lines.map((line) => JSON.parse(line)),
    (await ask(`${list}?after=${codes[2]}`)).body,
  );
  assert.equal(lines.length, codes.length - 3);
  const head = await http.send('HEAD', list, { headers: NDJSON });
  assert.deepEqual([head.status, head.text, head.headers['content-length']], [200, '', undefined]);
});

test('the form is the one that Accept likes best', () => {
  const offered = ['application/json', 'text/csv'] as const;
  const like = (accept?: string) => preferred(accept, [...offered]);
  for (const accept of [
    undefined,
    '',
    '*/*',
    'application/*',
    'image/png',
    'text/csv;q=0.5, application/json',
  ])
    assert.equal(like(accept), 'application/json', accept);
  for (const accept of [
    'text/csv',
    'text/*',
    'TEXT/CSV; q=1',
    'text/csv, */*;q=0.1',
    'application/json;q=0.2, text/csv;q=0.3',
  ])
    assert.equal(like(accept), 'text/csv', accept);
});

/** Asks for an export and reads nothing of it. */
function askAndWait(): Socket {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  socket.pause();
  socket.write(
    `GET ${all} HTTP/1.1\r\nHost: shop\r\nAuthorization: ${admin.Authorization}\r\nAccept: text/csv\r\n\r\n`,
  );
  return socket;
}

const statements = async () => {
  const { text } = await http.get('/metrics');
  const [, count] =
    /db_query_duration_seconds_count\{query_type="select",table="decisions"\} (\d+)/.exec(text) ?? [];
  return Number(count);
};

test('an export reads no further than its client does, and ends with it; no third one begins meanwhile', async () => {
  const before = await statements();
  const readers = [askAndWait(), askAndWait()];
  await until('both to begin', async () => (await statements()) > before + 4);
  const at = await until('both to wait', async () => {
    const one = await statements();
    await new Promise((resolve) => setTimeout(resolve, 300));
    return one === (await statements()) && one;
  });
  // Two statements a page; all of both exports would be four times this.
  assert.ok(at - before < MANY / 1_000, `${at - before} statements`);
  assertProblem(await ask(all, CSV), 503, 'overloaded');
  for (const reader of readers) reader.destroy();
  const whole = await until('a free place', async () => {
    const reply = await http.get(all, CSV);
    return reply.status === 200 && reply;
  });
  assert.equal(whole.text.split('\r\n').length, 1 + MANY + 1);
});

test('an export that Postgres breaks off is broken off, and no whole one', async () => {
  const before = await statements();
  const socket = askAndWait();
  let text = '';
  await until('its beginning', async () => (await statements()) > before + 4);
  signalAll(service.server('postgres'), 'SIGSTOP');
  try {
    socket.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
    });
    socket.resume();
    await until('its end', () => socket.closed);
    assert.match(text, /^HTTP\/1.1 200 OK/);
    assert.ok(!text.endsWith('\r\n0\r\n\r\n'), 'the last chunk did not come');
  } finally {
    signalAll(service.server('postgres'), 'SIGCONT');
  }
  await until('Postgres', async () => (await ask(`${list}?limit=1`)).status === 200);
});
