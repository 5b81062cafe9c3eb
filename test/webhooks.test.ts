import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openReceiver, SECRET } from '../campaigns/faults/receiver.ts';
import { atEnd } from './support/at-end.ts';
import { assertDocumented, operationOf } from './support/contract.ts';
import { readMetrics } from './support/metrics.ts';
import { until } from './support/processes.ts';
import { type Service, startService } from './support/service.ts';
import { addShelf, fillCart, purchase } from './support/shop.ts';
import { openStores } from './support/stores.ts';

/** Two boxes that share their stores and tell one receiver. */
const receiver = await openReceiver();
atEnd(receiver.die);
const stores = await openStores();
const env = {
  ...{ REDIS_URL: stores.redisUrl, DATABASE_URL: stores.databaseUrl },
  ...{ WEBHOOK_URL: receiver.url, WEBHOOK_SECRET: SECRET, WEBHOOK_PRIVATE: 'on' },
};
const boxes = [await startService(env), await startService(env)] as const;
const [first, second] = boxes;

const gauge = async ({ http }: Service, name: string) =>
  readMetrics((await http.get('/metrics')).text).values.get(name);

async function buy(service: Service, user: string, item: string, sale: string): Promise<string> {
  const code = await until('the box knows the sale', () => fillCart(service.http, user, [item], sale));
  assert.equal((await purchase(service.http, code)).status, 200);
  return code;
}
const heard = (code: string) => receiver.taken.filter(({ data }) => data.code === code).length;

test('what a box sells is told by the leader; what is given up is listed, and sent again when somebody asks', async () => {
  const { sale, items } = await addShelf(first.http, { total_items: 3 });
  const gone = await buy(second, 'ada', items[0]!, sale);
  await until('it is told', () => heard(gone) === 1);
  receiver.answer = ({ data }) => (data.code === undefined ? 200 : 410);
  const dead = await buy(first, 'bob', items[1]!, sale);
  const reply = await until('it is dead', async () => {
    const listed = await second.http.get('/admin/webhooks/dead');
    await assertDocumented(operationOf('listDeadWebhooks'), listed);
    return listed.body.length === 1 && listed;
  });
  assert.deepEqual([reply.body[0].failure, reply.body[0].event.data.code], ['status 410', dead]);
  await until('the alert would see it', async () => (await gauge(first, 'flashsale_webhooks_dead')) === 1);
  receiver.answer = () => 200;
  const again = await second.http.post(`/admin/webhooks/dead/retry?id=${reply.body[0].id}`);
  await assertDocumented(operationOf('retryDeadWebhooks'), again);
  assert.deepEqual(again.body, { retried: 1 });
  await until('it is told', () => heard(dead) === 1);
  assert.deepEqual((await second.http.get('/admin/webhooks/dead')).body, []);
});

test('a leader that is killed between sending and noting leaves nothing out: another sends it again', async () => {
  const { sale, items } = await addShelf(first.http, { total_items: 30 });
  await until('the first leads', async () => (await gauge(first, 'flashsale_leader')) === 1);
  let wasAsked = false;
  // It takes each, and answers none before the leader is dead.
  receiver.answer = ({ data }) => {
    if (data.sale_id !== sale || data.code === undefined) return 200;
    wasAsked = true;
    return null;
  };
  const codes: string[] = [];
  for (const [n, item] of items.slice(0, 10).entries())
    codes.push(await buy(second, `user-${n}`, item, sale));
  await until('the leader sends', () => wasAsked);
  first.child.kill('SIGKILL');
  await first.exit;
  receiver.answer = () => 200;
  for (const [n, item] of items.slice(10, 20).entries())
    codes.push(await buy(second, `late-${n}`, item, sale));
  await until('everything is told', () => codes.every((code) => heard(code) > 0));
  assert.deepEqual(
    codes.filter((code) => heard(code) > 1),
    [],
    'what was answered came once',
  );
  await until('no backlog', async () => (await gauge(second, 'flashsale_webhook_backlog_age_seconds')) === 0);
});
