import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pruneAnswers } from '../../src/store/admin-answers.ts';
import { until } from '../support/processes.ts';
import { startService } from '../support/service.ts';
import { assertProblem } from '../support/shop.ts';
import { connectStores } from '../support/stores.ts';

/** F19: a POST of the admin API with an Idempotency-Key happens once. */
const service = await startService({ WORKERS: '2' });
const { http } = service;
const { sql, postgres } = await connectStores(service.redisUrl, service.databaseUrl);
const count = async () => (await http.get('/sales?limit=1000')).body.length as number;
const post = (key: string, body: unknown, path = '/admin/sales') =>
  http.post(path, { headers: { 'Idempotency-Key': key }, body });

test('the same request with its key hears the first answer again, and there is one sale', async () => {
  const before = await count();
  const body = { items: [{ id: 'once-1', name: 'Lamp' }] };
  const first = await post('key-1', body);
  assert.equal(first.status, 201);
  assert.equal(first.headers['idempotent-replayed'], undefined);
  for (let i = 0; i < 6; i++) {
    const again = await post('key-1', body);
    assert.deepEqual(
      [again.status, again.text, again.headers.location],
      [201, first.text, first.headers.location],
    );
    assert.equal(again.headers['idempotent-replayed'], 'true');
  }
  assert.equal(await count(), before + 1);
});

test('the key with another body, query or type is a mismatch, and nothing happens', async () => {
  const first = await post('key-2', { total_items: 1 });
  assert.equal(first.status, 201);
  const before = await count();
  assertProblem(await post('key-2', { total_items: 2 }), 422, 'idempotency_mismatch');
  const headers = { 'Idempotency-Key': 'key-2', 'Content-Type': 'application/json; charset=utf-8' };
  assertProblem(
    await http.post('/admin/sales', { headers, body: '{"total_items":1}' }),
    422,
    'idempotency_mismatch',
  );
  assert.equal(await count(), before);
});

test('without a key, and with different keys, every request is one', async () => {
  const before = await count();
  const body = { total_items: 1 };
  for (const reply of [
    await post('key-3', body),
    await post('key-4', body),
    await http.post('/admin/sales', { body }),
    await http.post('/admin/sales', { body }),
  ])
    assert.equal(reply.status, 201);
  assert.equal(await count(), before + 4);
});

test('a request that was refused is not kept: corrected, it may use its key', async () => {
  assertProblem(await post('key-5', { total_items: 0 }), 400, 'validation_failed', 'errors');
  const twice = {
    items: [
      { id: 'twice', name: 'a' },
      { id: 'twice', name: 'b' },
    ],
  };
  assertProblem(await post('key-5', twice), 400, 'validation_failed', 'errors');
  assert.equal((await post('key-5', { total_items: 1 })).status, 201);
});

test('a key that is none is refused', async () => {
  const reply = await post('a b', { total_items: 1 });
  assertProblem(reply, 400, 'validation_failed', 'errors');
  assert.match(reply.body.errors['Idempotency-Key'], /1 to 255 printable/);
});

test('many at once: one makes the sale; the others hear its answer, or 503 with Retry-After', async () => {
  const before = await count();
  const body = { total_items: 3_000 };
  const replies = await Promise.all(Array.from({ length: 12 }, () => post('key-6', body)));
  const made = replies.filter(({ status }) => status === 201);
  assert.ok(made.length > 0);
  assert.equal(new Set(made.map(({ text }) => text)).size, 1);
  assert.equal(made.filter(({ headers }) => headers['idempotent-replayed'] === undefined).length, 1);
  for (const reply of replies.filter(({ status }) => status !== 201)) {
    assertProblem(reply, 503, 'overloaded');
    assert.equal(reply.headers['retry-after'], '1');
  }
  assert.equal(await count(), before + 1);
  assert.equal((await post('key-6', body)).text, made[0]!.text);
});

test('while the first one is under way for long, the second is refused within its bound', async () => {
  const before = await count();
  let release: (() => void) | undefined;
  const held = postgres.transaction('test', async (client) => {
    await client.query("insert into admin_answers (key, request) values ('key-7', 'x')");
    await new Promise<void>((resolve) => {
      release = resolve;
    });
    await client.query('select 1 / 0');
  });
  await until('the first one has the key', () => release !== undefined);
  const began = performance.now();
  const waited = await post('key-7', { total_items: 1 });
  release?.();
  await assert.rejects(held);
  assertProblem(waited, 503, 'overloaded');
  assert.ok(performance.now() - began >= 900, 'it waited for the other');
  // The one that was under way died: its key is free, and nothing of it is left.
  assert.equal((await post('key-7', { total_items: 1 })).status, 201);
  assert.equal(await count(), before + 1);
});

test('the sale and its answer are one transaction: a process that dies in between leaves neither', async () => {
  const before = await count();
  // The keeping of the answer fails, after the sale and its items were added.
  await sql("alter table admin_answers add constraint no_answer check (key <> 'key-8' or status is null)");
  const failed = await post('key-8', { total_items: 5 });
  assert.ok(failed.status >= 500, failed.text);
  assert.equal(await count(), before);
  assert.deepEqual(await sql("select 1 from admin_answers where key = 'key-8'"), []);
  await sql('alter table admin_answers drop constraint no_answer');
  assert.equal((await post('key-8', { total_items: 5 })).status, 201);
  assert.equal(await count(), before + 1);
});

test('workers that are killed while they make a sale leave nothing of it, and its key is free', async () => {
  const before = await count();
  const body = { total_items: 100_000 };
  const lost = post('key-9', body).catch((error: Error) => error);
  const writing =
    "select 1 from pg_stat_activity where state <> 'idle' and query like '%insert into items%' and pid <> pg_backend_pid()";
  await until('it is being made', async () => (await sql(writing)).length > 0);
  for (const pid of await service.workers()) process.kill(pid, 'SIGKILL');
  assert.ok((await lost) instanceof Error, 'it was cut off');
  const again = await until(
    'another worker makes it',
    async () => {
      const reply = await post('key-9', body).catch(() => undefined);
      return reply !== undefined && reply.status < 300 ? reply : undefined;
    },
    60_000,
  );
  assert.equal(again.headers['idempotent-replayed'], undefined);
  assert.equal(await count(), before + 1);
});

test('after a day an answer is forgotten', async () => {
  await sql("update admin_answers set made_at = now() - interval '25 hours' where key = 'key-1'");
  await sql("update admin_answers set made_at = now() - interval '23 hours' where key = 'key-2'");
  await pruneAnswers(postgres);
  const left = await sql("select key from admin_answers where key in ('key-1', 'key-2')");
  assert.deepEqual(left, [{ key: 'key-2' }]);
});
