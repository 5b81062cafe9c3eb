import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import { newCode } from '../../src/store/checkouts.ts';
import { commitDecisions } from '../../src/store/commit.ts';
import { type Decision, receiptOf } from '../../src/store/decision.ts';
import { findDecision } from '../../src/store/receipts.ts';
import { atEnd } from '../support/at-end.ts';
import { addSale, openStores, type TestSale } from '../support/stores.ts';

const stores = await openStores();
const { postgres, sql, databaseUrl } = stores;
const DECIDED_MS = 1_795_000_000_123;

const decisionOf = (sale: TestSale, userId: string, ...lines: string[]): Decision => ({
  code: newCode(sale.id),
  saleId: sale.id,
  userId,
  decidedMs: DECIDED_MS,
  lines,
});
const countsOf = async (sale: TestSale) => {
  const [row] = await sql(
    `select (select count(*) from decisions where sale_id = $1)::int as decisions,
            (select count(*) from purchases where sale_id = $1)::int as purchases`,
    sale.id,
  );
  return [row!.decisions, row!.purchases];
};

test('a batch leaves a row per decision and a row per bought line, and says so', async () => {
  const sale = await addSale(stores);
  const [a, b, c] = sale.itemIds;
  const ada = decisionOf(sale, 'ada', `-${a}`, `+${b}`, `+${c}`);
  const bob = decisionOf(sale, 'bob', `+${a}`);
  const lost = decisionOf(sale, 'cleo', `-${a}`);
  assert.ok(await commitDecisions(postgres, sale, [ada, bob, lost]));
  assert.deepEqual(await countsOf(sale), [3, 3]);
  const rows = await sql(
    `select item_id, code, user_id, (extract(epoch from purchased_at) * 1000)::float8 as ms from purchases
     where sale_id = $1 order by item_id`,
    sale.id,
  );
  const row = (item_id: string | undefined, { code, userId }: Decision) => ({
    item_id,
    code,
    user_id: userId,
    ms: DECIDED_MS,
  });
  assert.deepEqual(rows, [row(a, bob), row(b, ada), row(c, ada)]);
});

test('the receipt of a decision has its lines in their order, with names; an unknown code has none', async () => {
  const sale = await addSale(stores);
  const [a, b] = sale.itemIds;
  const decision = decisionOf(sale, 'ada', `-${b}`, `+${a}`);
  await commitDecisions(postgres, sale, [decision]);
  const named = new Map(
    (await sql('select id, name from items where sale_id = $1', sale.id)).map((i) => [i.id, i.name]),
  );
  const found = await findDecision(postgres, decision.code);
  assert.deepEqual(found!.decision, decision);
  assert.deepEqual(receiptOf(found!.decision.lines, found!.names), {
    success: true,
    purchased_items: [
      { id: b, name: named.get(b), sold: false },
      { id: a, name: named.get(a), sold: true },
    ],
    total_purchased: 1,
    failed_count: 1,
  });
  assert.equal(await findDecision(postgres, newCode(sale.id)), undefined);
});

test('committing again changes nothing, also among new decisions', async () => {
  const sale = await addSale(stores);
  const [a, b] = sale.itemIds;
  const first = decisionOf(sale, 'ada', `+${a}`);
  assert.ok(await commitDecisions(postgres, sale, [first]));
  const other: Decision = { ...first, userId: 'eve', lines: [`+${b}`] };
  assert.ok(await commitDecisions(postgres, sale, [other, decisionOf(sale, 'bob', `-${a}`)]));
  assert.deepEqual(await countsOf(sale), [2, 1]);
  assert.deepEqual(await sql('select user_id from purchases where code = $1', first.code), [
    { user_id: 'ada' },
  ]);
});

test('a decision of another epoch, or of no sale, is fenced, and nothing is written', async () => {
  const sale = await addSale(stores);
  const decision = decisionOf(sale, 'ada', `+${sale.itemIds[0]}`);
  for (const epoch of [sale.epoch - 1, sale.epoch + 1])
    assert.equal(await commitDecisions(postgres, { id: sale.id, epoch }, [decision]), undefined);
  assert.equal(await commitDecisions(postgres, { id: 'S-0000000000', epoch: 0 }, [decision]), undefined);
  assert.deepEqual(await countsOf(sale), [0, 0]);
});

test('an item that another code holds fails the whole batch', async () => {
  const sale = await addSale(stores);
  const [a, b] = sale.itemIds;
  await commitDecisions(postgres, sale, [decisionOf(sale, 'ada', `+${a}`)]);
  const batch = [decisionOf(sale, 'bob', `+${b}`), decisionOf(sale, 'cleo', `+${a}`)];
  await assert.rejects(commitDecisions(postgres, sale, batch), { code: '23505' });
  assert.deepEqual(await countsOf(sale), [1, 1]);
  assert.equal(postgres.isUp, true, 'a refusal is no outage');
});

test('one item twice in a batch fails the whole batch', async () => {
  const sale = await addSale(stores);
  const line = `+${sale.itemIds[0]}`;
  const batch = [decisionOf(sale, 'ada', line), decisionOf(sale, 'bob', line)];
  await assert.rejects(commitDecisions(postgres, sale, batch), { code: '23505' });
  assert.deepEqual(await countsOf(sale), [0, 0]);
});

test('a full batch of 256 decisions with 10 lines each is one commit', async () => {
  const sale = await addSale(stores, { items: 2_560 });
  const batch = Array.from({ length: 256 }, (_, i) =>
    decisionOf(sale, `u${i}`, ...sale.itemIds.slice(i * 10, i * 10 + 10).map((id) => `+${id}`)),
  );
  assert.ok(await commitDecisions(postgres, sale, batch));
  assert.deepEqual(await countsOf(sale), [256, 2_560]);
});

test('batches with the same codes in another order do not deadlock', async () => {
  const sale = await addSale(stores, { items: 200 });
  const batch = sale.itemIds.map((id) => decisionOf(sale, 'ada', `+${id}`));
  const orders = [batch, [...batch].reverse(), batch.slice(100).concat(batch.slice(0, 100)), batch];
  const answers = await Promise.all(orders.map((each) => commitDecisions(postgres, sale, each)));
  assert.ok(answers.every((standing) => standing !== undefined));
  assert.deepEqual(await countsOf(sale), [200, 200]);
});

test('a rebuild that begins waits for the commit under way, and fences the one that waits for it', async () => {
  const sale = await addSale(stores);
  const rebuild = new pg.Client({ connectionString: databaseUrl });
  await rebuild.connect();
  atEnd(() => rebuild.end().catch(() => {}));
  await rebuild.query('begin');
  await rebuild.query('update sales set epoch = epoch + 1 where id = $1', [sale.id]);
  const decision = decisionOf(sale, 'ada', `+${sale.itemIds[0]}`);
  const waiting = commitDecisions(postgres, sale, [decision]);
  await rebuild.query('commit');
  await rebuild.end();
  assert.equal(await waiting, undefined);
  assert.deepEqual(await countsOf(sale), [0, 0]);
  assert.ok(await commitDecisions(postgres, { id: sale.id, epoch: sale.epoch + 1 }, [decision]));
});
