/** What came back is sold through every worker within a second, though its worker dies or its message is lost; and it is sold once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fenceOf } from '../src/store/fence.ts';
import { keysOf } from '../src/store/keys.ts';
import { script } from '../src/store/redis.ts';
import { eachReturn, formatReturn, type GivenBack, giveBack, shelveReturns } from '../src/store/returns.ts';
import { openHttp } from './support/http.ts';
import { until } from './support/processes.ts';
import { freePort, startService } from './support/service.ts';
import { addShelf, checkout, fillCart, purchase } from './support/shop.ts';
import { connectStores } from './support/stores.ts';

const base = await freePort();
const service = await startService({ HOURLY_SALES: 'off', WORKERS: '2', WORKER_PORT_BASE: String(base) });
const { redis, postgres } = await connectStores(service.redisUrl, service.databaseUrl);
const workers = [0, 1].map((slot) => openHttp(`http://127.0.0.1:${base + slot}`));

async function take(saleId: string, code: string, itemId: string): Promise<GivenBack> {
  const codes = [{ code, lines: [itemId] }];
  const given = await giveBack(postgres, { saleId, kind: 'cancelled', restock: true, codes });
  assert.equal(given?.returns.length, 1);
  return given as GivenBack;
}

/** As `shelveReturns`, but no worker hears of it. */
async function shelveSilently(saleId: string, { epoch, returns }: GivenBack): Promise<void> {
  const k = keysOf(saleId);
  const keys = [k.gate, k.sale, k.items, k.bought, k.decisions, k.free, k.returns];
  for await (const found of eachReturn(postgres, saleId, (returns[0]?.number as number) - 1)) {
    const args = found.flatMap((each) => [String(each.number), formatReturn(each)]);
    const reply = await redis.run(script('shelve'), keys, [fenceOf(epoch), 'nobody', saleId, ...args]);
    assert.equal(reply, found.at(-1)?.number);
  }
}

/** Every worker refuses the item in these words, however it knows. */
const refusedBy = (sale: string, item: string, code: string) =>
  until(`all workers refuse with ${code}`, async () => {
    const replies = await Promise.all(workers.map((http, i) => checkout(http, `no-${i}`, item, sale)));
    return replies.every((reply) => reply.body.code === code);
  });

/** Every worker takes the item into a cart. */
async function soldBy(sale: string, item: string, round: string): Promise<void> {
  await Promise.all(
    workers.map((http, i) =>
      until(`worker ${i} sells what is back`, async () => {
        const reply = await checkout(http, `${round}-${i}`, item, sale);
        assert.ok([200, 409, 400].includes(reply.status), reply.text);
        return reply.status === 200 || reply.body.code === 'already_in_checkout';
      }),
    ),
  );
}

test('sold out, taken back, and sellable through every worker; then it is sold once, and refused again', async () => {
  const { sale, items } = await addShelf(service.http, { total_items: 40, user_limit: 100 });
  const code = await fillCart(service.http, 'ada', items, sale);
  assert.equal((await purchase(service.http, code)).status, 200);
  const codeOf = new Map(items.map((item) => [item, code]));
  await refusedBy(sale, items[0]!, 'sale_sold_out');
  // Items of both workers' arcs, and each way in which they may hear of it.
  for (const [round, item] of items.slice(0, 9).entries()) {
    const given = await take(sale, codeOf.get(item) as string, item);
    if (round % 2 === 0)
      assert.equal(await shelveReturns(redis, postgres, { id: sale, epoch: given.epoch }), true);
    else await shelveSilently(sale, given);
    await soldBy(sale, item, `r${round}`);
    await refusedBy(sale, items[20]!, 'item_already_sold');
    const codes = await Promise.all(workers.map((_, i) => codeOfCart(sale, `r${round}-${i}`)));
    const replies = await Promise.all(workers.map((http, i) => purchase(http, codes[i]!)));
    const won = replies.findIndex((reply) => reply.status === 200);
    assert.deepEqual(replies.map(({ status }) => status).sort(), [200, 409]);
    assert.equal(replies[1 - won]!.body.code, 'all_items_sold');
    codeOf.set(item, codes[won]!);
    await refusedBy(sale, item, 'sale_sold_out');
  }
});

/** The code of a user's cart. */
async function codeOfCart(sale: string, user: string): Promise<string> {
  const cart = (await redis.command('HGET', keysOf(sale).carts, user)) as string;
  return cart.split(' ', 1)[0] as string;
}
