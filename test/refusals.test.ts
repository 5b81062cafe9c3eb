/** Runs alone: what others do to the machine makes it slow, and the background of the stores grows with the time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openConnection } from '../perf/client.ts';
import { until } from './support/processes.ts';
import { startService } from './support/service.ts';
import { addShelf, checkout, fillCart, purchase } from './support/shop.ts';
import { connectStores } from './support/stores.ts';

const REFUSALS = 100_000;
const CONNECTIONS = 40;
/** What the primary and the attempt log ask meanwhile: of Redis some 300 commands a second, with those in scripts, for up to 10 s. */
const BACKGROUND_MAX = REFUSALS / 25;

const service = await startService({ WORKERS: '2', SALE_ITEMS: '10' });
const { redis, sql } = await connectStores(service.redisUrl, service.databaseUrl);

const redisCommands = async (): Promise<number> =>
  Number(/total_commands_processed:(\d+)/.exec(String(await redis.command('INFO', 'stats')))?.[1]);

const transactions = async (): Promise<number> => {
  const [row] = await sql(
    'select xact_commit + xact_rollback as n from pg_stat_database where datname = current_database()',
  );
  return Number(row?.n);
};

/** Posts one hopeless checkout again and again over many connections, so that both workers get their share. */
async function refuse(target: (n: number) => string, code: string): Promise<void> {
  let left = REFUSALS;
  const client = async () => {
    const connection = openConnection(service.url);
    while (left-- > 0) {
      const reply = await connection.request('POST', target(left));
      assert.equal(reply.status, 409);
      assert.ok(reply.body.includes(`"code":"${code}"`), reply.body);
    }
    connection.close();
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, client));
}

async function costOf(work: () => Promise<void>) {
  const before = [await redisCommands(), await transactions()] as const;
  await work();
  // Postgres reports its statistics up to a second late.
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  return { redis: (await redisCommands()) - before[0], postgres: (await transactions()) - before[1] };
}

const logged = async (sale: string, outcome: string): Promise<number> => {
  const [row] = await sql(
    'select count(*)::int as n from checkout_attempts where sale_id = $1 and outcome = $2',
    sale,
    outcome,
  );
  return Number(row?.n);
};

/** Until every worker has confirmed the items once. */
async function warmUp(sale: string, items: readonly string[]): Promise<void> {
  for (let round = 0; round < 20; round++) {
    for (const item of items) assert.equal((await checkout(service.http, 'warm', item, sale)).status, 409);
  }
  await new Promise((resolve) => setTimeout(resolve, 600));
}

test('100,000 requests for sold items ask neither Redis nor Postgres, and each is in the attempt log', async () => {
  const { sale, items } = await addShelf(service.http, { total_items: 20, user_limit: 10 });
  const sold = items.slice(0, 10);
  assert.equal((await purchase(service.http, await fillCart(service.http, 'ada', sold, sale))).status, 200);
  await warmUp(sale, sold);
  const before = await logged(sale, 'item_already_sold');
  const cost = await costOf(() =>
    refuse((n) => `/checkout?user_id=u${n}&id=${sold[n % 10]}&sale_id=${sale}`, 'item_already_sold'),
  );
  assert.ok(cost.redis < BACKGROUND_MAX, `Redis ran ${cost.redis} commands`);
  assert.ok(cost.postgres < BACKGROUND_MAX, `Postgres ran ${cost.postgres} transactions`);
  await until(
    'the attempts are logged',
    async () => (await logged(sale, 'item_already_sold')) >= before + REFUSALS,
  );
});

test('100,000 requests for a sale that is sold out cost as little', async () => {
  const { sale, items } = await addShelf(service.http, { total_items: 5, user_limit: 10 });
  assert.equal((await purchase(service.http, await fillCart(service.http, 'ben', items, sale))).status, 200);
  await warmUp(sale, items);
  const cost = await costOf(() =>
    refuse((n) => `/checkout?user_id=u${n}&id=${items[n % 5]}&sale_id=${sale}`, 'sale_sold_out'),
  );
  assert.ok(cost.redis < BACKGROUND_MAX, `Redis ran ${cost.redis} commands`);
  assert.ok(cost.postgres < BACKGROUND_MAX, `Postgres ran ${cost.postgres} transactions`);
  await until('the attempts are logged', async () => (await logged(sale, 'sale_sold_out')) >= REFUSALS);
});
