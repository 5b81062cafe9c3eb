import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startService } from '../support/service.ts';
import { assertProblem } from '../support/shop.ts';

/** An operator's session, and who would like to have one. */
const TOKEN = 's3cret';
const { http, url } = await startService({ WORKERS: '2', ADMIN_TOKEN: TOKEN, HOURLY_SALES: 'off' });
const admin = { Authorization: `Bearer ${TOKEN}` };
const own = { Origin: url };

const logIn = (token: unknown, headers: Record<string, string> = own) =>
  http.post('/console/session', { body: { token }, headers });
const cookieOf = (reply: Awaited<ReturnType<typeof logIn>>) => ({
  Cookie: String(reply.headers['set-cookie']).split(';', 1)[0]!,
});

test('a session opens the admin API to pages of this service, and to nobody else', async () => {
  assertProblem(await logIn('wrong'), 401, 'unauthorized');
  assertProblem(await logIn(TOKEN, {}), 401, 'unauthorized');
  assertProblem(await logIn(TOKEN, { Origin: 'https://evil.example' }), 401, 'unauthorized');
  const opened = await logIn(TOKEN);
  assert.equal(opened.status, 204);
  assert.match(String(opened.headers['set-cookie']), /HttpOnly; SameSite=Strict$/);
  const cookie = cookieOf(opened);
  for (let i = 0; i < 4; i++) assert.equal((await http.get('/admin/actions', cookie)).status, 200);
  const body = { total_items: 1 };
  for (const origin of [{}, { Origin: 'https://evil.example' }, { Origin: 'null' }])
    assertProblem(
      await http.post('/admin/sales', { body, headers: { ...cookie, ...origin } }),
      401,
      'unauthorized',
    );
  assert.equal((await http.post('/admin/sales', { body, headers: { ...cookie, ...own } })).status, 201);
  assertProblem(await http.get('/admin/actions'), 401, 'unauthorized');
  assertProblem(await http.get('/admin/actions', { Cookie: 'flashsale_console=1.a.b' }), 401, 'unauthorized');
  const ended = await http.send('DELETE', '/console/session', { headers: own });
  assert.match(String(ended.headers['set-cookie']), /^flashsale_console=; .*Max-Age=0/);
  const { body: actions } = await http.get('/admin/actions?limit=1', admin);
  assert.deepEqual(
    [actions[0].who, actions[0].method, actions[0].path, actions[0].what],
    ['console', 'POST', '/admin/sales', JSON.stringify(body)],
  );
});

test('wrong tokens are slowed down, the right one among them', async () => {
  let refused = 0;
  for (let i = 0; i < 12 && refused === 0; i++) {
    const reply = await logIn(`guess ${i}`);
    if (reply.status === 401) continue;
    assert.deepEqual([reply.status, reply.body.code], [429, 'rate_limited']);
    assert.ok(Number(reply.headers['retry-after']) <= 60);
    refused++;
  }
  assert.equal(refused, 1);
});
