import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startService } from '../support/service.ts';
import { assertProblem } from '../support/shop.ts';

const body = { total_items: 1 };
const authorized = (value: string) => ({ headers: { Authorization: value }, body });

test('with ADMIN_TOKEN set, only its bearer may create sales', async () => {
  const { http, stop } = await startService({ ADMIN_TOKEN: 's3cret' });
  const refused = [
    await http.post('/admin/sales', { body }),
    await http.post('/admin/sales', { body: { nonsense: true } }),
    ...(await Promise.all(
      [
        'Bearer',
        'Bearer ',
        'Bearer s3cre',
        'Bearer s3crets',
        'Bearer S3CRET',
        'Basic s3cret',
        's3cret',
        'Bearer undefined',
      ].map((value) => http.post('/admin/sales', authorized(value))),
    )),
  ];
  for (const reply of refused) {
    assertProblem(reply, 401, 'unauthorized');
    assert.equal(reply.headers['www-authenticate'], 'Bearer');
  }
  assert.equal((await http.get('/sales')).body.length, 2, 'only the hourly ones');
  assert.equal((await http.post('/admin/sales', authorized('Bearer s3cret'))).status, 201);
  assert.equal((await http.post('/admin/sales', authorized('bearer s3cret'))).status, 201);
  await stop();
});

test('in production without a token there is no admin API', async () => {
  const { http, stop } = await startService({ NODE_ENV: 'production', HOST: '127.0.0.1' });
  for (const sent of [{ body }, authorized('Bearer '), authorized('Bearer undefined'), { body: '{' }])
    assertProblem(await http.post('/admin/sales', sent), 404, 'not_found');
  assert.equal((await http.get('/sales')).body.length, 2, 'only the hourly ones');
  await stop();
});

test('in production with a token it needs the token', async () => {
  const { http, stop } = await startService({
    NODE_ENV: 'production',
    HOST: '127.0.0.1',
    ADMIN_TOKEN: 's3cret',
  });
  assertProblem(await http.post('/admin/sales', { body }), 401, 'unauthorized');
  assert.equal((await http.post('/admin/sales', authorized('Bearer s3cret'))).status, 201);
  await stop();
});
