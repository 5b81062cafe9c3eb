import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Reply, sendRaw } from '../support/http.ts';
import { until } from '../support/processes.ts';
import { startService } from '../support/service.ts';
import { addShelf, checkout, fillCart, inSeconds, purchase } from '../support/shop.ts';

/** The same request has the same status, headers and body, whether it is served on its socket or through node:http and Hono. */
const service = await startService();
const { http, url } = service;

/** What a connection says of itself, and when. */
const OF_THE_CONNECTION = ['date', 'connection', 'keep-alive'];

function sendBy(connection: string, method: string, target: string, headers: readonly string[]) {
  const lines = [`${method} ${target} HTTP/1.1`, 'Host: shop', 'X-Request-Id: mine', ...headers];
  return sendRaw(url, [...lines, `Connection: ${connection}`, '', ''].join('\r\n'));
}

/** A second option for the connection is nothing plain, so that the lane gives it to node:http. */
async function bothWays(method: string, target: string, ...headers: string[]): Promise<[Reply, Reply]> {
  const seen = ({ headers, ...reply }: Reply): Reply => ({
    ...reply,
    headers: Object.fromEntries(
      Object.entries(headers).filter(([name]) => !OF_THE_CONNECTION.includes(name)),
    ),
  });
  const lane = seen(await sendBy('close', method, target, headers));
  return [lane, seen(await sendBy('close, x', method, target, headers))];
}

const { sale, items } = await addShelf(http, { total_items: 6, user_limit: 2 });
const [sold, lost, wanted] = items as [string, string, string];
const code = await fillCart(http, 'ada', [sold], sale);
const loser = await fillCart(http, 'bob', [sold], sale);
const open = await fillCart(http, 'cleo', [wanted], sale);
await fillCart(http, 'dora', [lost, wanted], sale);
assert.equal((await purchase(http, code)).status, 200);
assert.equal((await purchase(http, loser)).status, 409);
const gone = await addShelf(http, { total_items: 1 });
await purchase(http, await fillCart(http, 'ada', gone.items, gone.sale));
const early = await addShelf(http, {
  total_items: 1,
  started_at: inSeconds(3_600),
  ended_at: inSeconds(7_200),
});
// Nobody is admitted: what is answered of it stays the same.
const queued = await addShelf(http, { total_items: 1, queue: { admit_per_second: 0 } });
const { ticket } = (await http.post(`/queue?user_id=ada&sale_id=${queued.sale}`)).body;
const inQueue = `id=${queued.items[0]}&sale_id=${queued.sale}`;
await until('the draw', async () => (await http.get(`/queue/${ticket}`)).body.state === 'waiting');
const tag = String((await http.get(`/sales/${sale}/items`)).headers.etag);

const page = await http.get('/', { Accept: 'text/html' });
const [asset] = /assets\/\w+\/storefront\/style\.css/.exec(page.text)!.map((path) => `/${path}`) as [string];

const KEY = 'Idempotency-Key: 1';
const SAME: [status: number, method: string, target: string, ...headers: string[]][] = [
  [400, 'POST', '/checkout?id=1'],
  [400, 'POST', `/checkout?user_id=cleo&id=${wanted}&sale_id=${sale}`],
  [400, 'POST', `/checkout?user_id=dora&id=${items[3]}&sale_id=${sale}`],
  [400, 'POST', `/checkout?user_id=eve&id=${early.items[0]}&sale_id=${early.sale}`],
  [404, 'POST', `/checkout?user_id=eve&id=${wanted}&sale_id=S-0000000000`],
  [404, 'POST', `/checkout?user_id=eve&id=nothing&sale_id=${sale}`],
  [409, 'POST', `/checkout?user_id=eve&id=${sold}&sale_id=${sale}`],
  [409, 'POST', `/checkout?user_id=eve&id=${gone.items[0]}&sale_id=${gone.sale}`],
  [200, 'POST', `/queue?user_id=ada&sale_id=${queued.sale}`],
  [400, 'POST', `/queue?sale_id=${queued.sale}`],
  [404, 'POST', `/queue?user_id=ada&sale_id=${sale}`],
  [200, 'GET', `/queue/${ticket}`],
  [404, 'GET', `/queue/${ticket}x`],
  [403, 'POST', `/checkout?user_id=ada&${inQueue}`],
  [403, 'POST', `/checkout?user_id=ada&${inQueue}&ticket=${ticket}`],
  [403, 'POST', `/checkout?user_id=eve&${inQueue}&ticket=${ticket}`],
  [400, 'POST', '/purchase?cod=1'],
  [404, 'POST', '/purchase?code=nothing'],
  [200, 'POST', `/purchase?code=${code}`, KEY],
  [409, 'POST', `/purchase?code=${code}`],
  [409, 'POST', `/purchase?code=${loser}`, KEY],
  [409, 'POST', `/purchase?code=${loser}`],
  [200, 'GET', `/purchases/${code}`],
  [404, 'GET', `/purchases/${open}`],
  [200, 'GET', '/sales/active'],
  [200, 'GET', '/sales?status=active&limit=2'],
  [400, 'GET', '/sales?stats=active'],
  [200, 'GET', `/sales/${sale}`],
  [404, 'GET', '/sales/S-0000000000'],
  [200, 'GET', '/sales/active/items?limit=2'],
  [200, 'GET', `/sales/${sale}/items?limit=2&available=true`],
  [304, 'GET', `/sales/${sale}/items`, `If-None-Match: ${tag}`],
  [400, 'GET', `/sales/${sale}/items?limit=0`],
  [200, 'GET', `/items/${sold}/image.svg`],
  [304, 'GET', `/items/${sold}/image.svg`, 'If-None-Match: "picture-1"'],
  [200, 'GET', '/livez'],
  [200, 'GET', '/readyz'],
  [200, 'GET', '/shards'],
  [200, 'GET', '/openapi.json'],
  [200, 'GET', '/docs'],
  [304, 'GET', '/docs', 'If-None-Match: *'],
  [404, 'GET', '/'],
  [200, 'GET', '/', 'Accept: text/html,*/*;q=0.8'],
  [200, 'GET', asset],
  [200, 'GET', asset, 'Accept-Encoding: gzip, br'],
  [304, 'GET', asset, 'If-None-Match: *'],
  [404, 'GET', '/assets/other/storefront/style.css'],
  [404, 'GET', '/nothing'],
  [404, 'GET', '//'],
  [405, 'GET', '/checkout?id=1'],
  [405, 'GET', '/admin/sales'],
];
for (const [status, method, target, ...headers] of SAME) {
  test(`${method} ${target} ${headers.join(' ')} is ${status} both ways, byte for byte`, async () => {
    const [lane, hono] = await bothWays(method, target, ...headers);
    assert.equal(lane.status, status, lane.text);
    assert.deepEqual(hono, lane);
    assert.equal(lane.headers['x-content-type-options'], 'nosniff');
  });
}

test('what changes with every request is the same but for that', async () => {
  for (const target of ['/health', '/metrics']) {
    const [lane, hono] = await bothWays('GET', target);
    const shape = ({ status, headers, body }: Reply) => [
      status,
      Object.keys(headers).sort(),
      Object.keys(body ?? {}),
    ];
    assert.deepEqual(shape(lane), shape(hono));
  }
  const accepted = [];
  for (const [i, connection] of ['close', 'close, x'].entries()) {
    const target = `/checkout?user_id=new${i}&id=${wanted}&sale_id=${sale}`;
    const { headers, body } = await sendBy(connection, 'POST', target, []);
    for (const name of OF_THE_CONNECTION) delete headers[name];
    accepted.push({ headers, body: { ...body, code: body.code.slice(0, 17) } });
  }
  assert.deepEqual(accepted[0], accepted[1]);
  assert.equal((await checkout(http, 'new0', items[4]!, sale)).body.items_count, 2);
});
