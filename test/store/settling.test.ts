import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import { doOnce } from '../../src/store/admin-answers.ts';
import { auditSale } from '../../src/store/audit/audit.ts';
import { cancelLines, linesToCancel } from '../../src/store/cancel.ts';
import { keysOf } from '../../src/store/keys.ts';
import {
  confirmPayment,
  expirePayments,
  findDue,
  lockPurchase,
  releasePayment,
} from '../../src/store/payments.ts';
import { openPostgres, type Postgres } from '../../src/store/postgres.ts';
import { stateOfPurchase } from '../../src/store/purchase-state.ts';
import { rebuildSale } from '../../src/store/rebuild.ts';
import { findDecision } from '../../src/store/receipts.ts';
import { shelveGiven, shelveReturns } from '../../src/store/returns.ts';
import { within } from '../../src/store/within.ts';
import { atEnd } from '../support/at-end.ts';
import { openFeed } from '../support/feed.ts';
import { until } from '../support/processes.ts';
import { openSale, type SaleOptions, type TestSale } from '../support/stores.ts';

/** Who comes first settles a payment: confirmation, release, expiry. */
const stores = await openFeed();
const { redis, postgres, sql, fill, pay, end, follow, databaseUrl } = stores;
const open = (options: SaleOptions = {}) => openSale(stores, { items: 8, paymentSeconds: 600, ...options });

async function buy(sale: TestSale, ...items: number[]): Promise<string> {
  const code = await fill(sale, `user-${items.join('-')}`, ...items);
  await pay(sale, code);
  return code;
}
const makeDue = (sale: TestSale) =>
  sql(
    `update payments set due_at = now() - interval '1 second' where sale_id = $1 and state = 'pending'`,
    sale.id,
  );
const confirm = (code: string, through: Postgres = postgres) =>
  through.transaction('payments', (client) => confirmPayment(client, code, true));
const release = (sale: TestSale, code: string, through: Postgres = postgres) =>
  through.transaction('payments', (client) => releasePayment(client, sale.id, code, true));
const stateOf = async (code: string) =>
  (await sql('select state from payments where code = $1', code))[0]?.state;
const heldBy = (code: string) => sql('select item_id from purchases where code = $1', code);
const leftOf = (sale: TestSale, n: number) => redis.command('HGET', keysOf(sale.id).items, sale.itemIds[n]!);
/** The books balance, and Redis has every return. */
async function check(sale: TestSale): Promise<void> {
  assert.equal(await shelveReturns(redis, postgres, sale), true);
  assert.deepEqual(await auditSale(redis, postgres, sale.id), []);
}

test('a payment that fails is released once: its units are on the shelf, and the limit has room', async () => {
  const sale = await open({ limit: 2 });
  const code = await buy(sale, 0, 1);
  const given = await release(sale, code);
  assert.ok(typeof given === 'object');
  assert.deepEqual(
    given.returns.map((each) => each.code),
    [code],
  );
  assert.equal(await leftOf(sale, 0), '0', 'Redis does not know yet');
  assert.equal(await shelveGiven(redis, postgres, sale.id, given), true);
  assert.deepEqual([await stateOf(code), await heldBy(code), await leftOf(sale, 0)], ['released', [], '1']);
  assert.equal(await release(sale, code), 'settled');
  await confirm(code);
  assert.equal(await stateOf(code), 'released');
  const again = await fill(sale, 'user-0-1', 0, 1);
  await pay(sale, again);
  assert.equal((await heldBy(again)).length, 2);
  await check(sale);
});

test('what is confirmed is neither released nor expired', async () => {
  const sale = await open();
  const code = await buy(sale, 0);
  await confirm(code);
  await makeDue(sale);
  assert.equal(await release(sale, code), 'settled');
  assert.equal((await expirePayments(postgres, sale.id)).count, 0);
  assert.deepEqual([await stateOf(code), (await heldBy(code)).length], ['confirmed', 1]);
  await check(sale);
});

test('what was due expires, the oldest first and by Postgres’ clock; what is not due stays', async () => {
  const sale = await open();
  const late = await buy(sale, 0);
  assert.deepEqual(
    (await findDue(postgres)).filter(({ saleId }) => saleId === sale.id),
    [],
  );
  await makeDue(sale);
  const early = await buy(sale, 1);
  const [due] = (await findDue(postgres)).filter(({ saleId }) => saleId === sale.id);
  assert.ok(due!.ageS >= 1 && due!.ageS < 60);
  const { count, given, isFull } = await expirePayments(postgres, sale.id);
  assert.deepEqual([count, isFull, given!.returns.map(({ code }) => code)], [1, false, [late]]);
  assert.deepEqual([await stateOf(late), await stateOf(early)], ['expired', 'pending']);
  assert.deepEqual(await sql('select kind from returns where code = $1', late), [{ kind: 'expired' }]);
  await check(sale);
});

test('after its sale has been retired a payment expires as well, and the count of what was sold follows', async () => {
  const sale = await open();
  const code = await buy(sale, 0, 1);
  await buy(sale, 2);
  await sql('update sales set retired = true, sold = 3 where id = $1', sale.id);
  await makeDue(sale);
  const { count, given } = await expirePayments(postgres, sale.id);
  assert.deepEqual([count, given!.retired], [2, true]);
  assert.deepEqual(
    [await stateOf(code), await sql('select sold from sales where id = $1', sale.id)],
    ['expired', [{ sold: 0 }]],
  );
});

test('while a rebuild reads the sale nothing is settled, and the same again does it', async () => {
  const sale = await open();
  const code = await buy(sale, 0);
  await makeDue(sale);
  await sql('update sales set epoch = epoch + 1 where id = $1', sale.id);
  assert.equal(await release(sale, code), undefined);
  assert.deepEqual(await expirePayments(postgres, sale.id), { count: 0, given: undefined, isFull: false });
  assert.deepEqual([await stateOf(code), (await heldBy(code)).length], ['pending', 1]);
  const { epoch } = (await rebuildSale(redis, postgres, sale.id, assert.fail))!;
  assert.equal((await expirePayments(postgres, sale.id)).count, 1);
  await check({ ...sale, epoch });
});

test('a leader that dies in the middle has changed nothing, and the next one expires', async () => {
  const sale = await open();
  const code = await buy(sale, 0);
  await makeDue(sale);
  const dying = new pg.Client({ connectionString: databaseUrl });
  dying.on('error', () => {});
  await dying.connect();
  atEnd(() => dying.end().catch(() => {}));
  await dying.query('begin');
  assert.ok(await releasePayment(dying, sale.id, code, true));
  assert.equal((await expirePayments(postgres, sale.id)).count, 0, 'the other one leaves it out meanwhile');
  const [{ pid } = {}] = (await dying.query('select pg_backend_pid() as pid')).rows;
  await sql('select pg_terminate_backend($1)', pid);
  let { count } = await expirePayments(postgres, sale.id);
  for (const endMs = Date.now() + 10_000; count === 0 && Date.now() < endMs; )
    ({ count } = await expirePayments(postgres, sale.id));
  assert.equal(count, 1);
  assert.equal((await sql('select 1 from returns where code = $1', code)).length, 1);
  await check(sale);
});

test('one transaction expires a bounded number of purchases and units, until none is left', async () => {
  const sale = await openSale(stores, {
    ...{ items: 6_000, limit: 100, paymentSeconds: 60 },
    named: [{ id: 'shirt', name: 'Shirt', stock: 6_000 }],
  });
  // Bought in Postgres alone: 60 purchases of a hundred units.
  await sql(
    `with codes as (select n, 'CHK-' || $1::text || '-' || md5(n::text) as code from generate_series(0, 59) n),
     decided as (insert into decisions (code, sale_id, user_id, decided_at, lines)
       select code, $1, 'u' || n, now(), '+shirt@' || n * 100 || '-' || n * 100 + 99 from codes),
     bought as (insert into purchases (sale_id, item_id, unit, stock, code, user_id, purchased_at)
       select $1, 'shirt', unit, 6000, code, 'u' || n, now() from codes, generate_series(n * 100, n * 100 + 99) unit)
     insert into payments (code, sale_id, units, due_at) select code, $1, 100, now() - interval '1 second' from codes`,
    sale.id,
  );
  const counts = [];
  for (let isFull = true; isFull; ) {
    const expired = await expirePayments(postgres, sale.id);
    counts.push(expired.count);
    isFull = expired.isFull;
  }
  assert.deepEqual(counts, [50, 10]);
  assert.deepEqual(await sql('select 1 from purchases where sale_id = $1', sale.id), []);
});

test('confirmed, released and expired at the same moment: one of them wins each, and every unit is in one place', async () => {
  const [COUNT, TOGETHER] = [420, 35];
  const sale = await openSale(stores, { items: COUNT, paymentSeconds: 600 });
  const from = await end();
  const codes = await Promise.all(sale.itemIds.map((_, n) => fill(sale, `user-${n}`, n)));
  await pay(sale, ...codes);
  // Of another box: with connections of its own.
  const other = await openPostgres({
    ...{ url: databaseUrl, connectionsMax: 8, patient: false, onError: () => {}, tells: true },
  });
  atEnd(other.close);
  const released: string[] = [];
  const releaseOne = async (code: string, through: Postgres) => {
    const given = await release(sale, code, through);
    if (typeof given === 'object') released.push(code);
  };
  for (let n = 0; n < COUNT; n += TOGETHER) {
    const some = codes.slice(n, n + TOGETHER);
    await sql('update payments set due_at = now() where code = any($1)', some);
    const ways: (() => Promise<unknown>[])[] = [
      () => some.map((code, i) => confirm(code, i % 2 === 0 ? postgres : other)),
      () => some.map((code, i) => releaseOne(code, i % 2 === 0 ? other : postgres)),
      () => [postgres, other].map((through) => expirePayments(through, sale.id)),
    ];
    // Each of them begins first in some rounds.
    const turn = (n / TOGETHER) % ways.length;
    await Promise.all([...ways.slice(turn), ...ways.slice(0, turn)].flatMap((way) => way()));
  }
  assert.equal(new Set(released).size, released.length);
  const rows = await sql(
    `select p.code, p.state, (select count(*) from purchases b where b.code = p.code)::int as held,
       (select count(*) from returns r where r.code = p.code)::int as back
     from payments p where sale_id = $1`,
    sale.id,
  );
  assert.equal(rows.length, COUNT);
  const told = new Map<string, string[]>();
  for (const { type, purchase } of await follow(from)) {
    const { code } = purchase!.decision;
    told.set(code, [...(told.get(code) ?? []), type]);
  }
  for (const { code, state, held, back } of rows as {
    code: string;
    state: string;
    held: number;
    back: number;
  }[]) {
    assert.notEqual(state, 'pending');
    assert.deepEqual([held, back], state === 'confirmed' ? [1, 0] : [0, 1], state);
    assert.equal(state === 'released', released.includes(code));
    const last = state === 'confirmed' ? 'purchase.confirmed' : 'purchase.released';
    assert.deepEqual(told.get(code), ['purchase.pending', last]);
  }
  assert.deepEqual([...new Set(rows.map(({ state }) => state))].sort(), ['confirmed', 'expired', 'released']);
  await check(sale);
  for (const [n, code] of codes.entries())
    assert.equal(await leftOf(sale, n), (await stateOf(code)) === 'confirmed' ? '0' : '1');
});

test('what operators do with one purchase is told in the order in which it happens, whoever began first', async () => {
  const sale = await open();
  const from = await end();
  const code = await buy(sale, 0);
  const other = new pg.Client({ connectionString: databaseUrl });
  await other.connect();
  atEnd(() => other.end().catch(() => {}));
  await other.query('begin');
  await lockPurchase(other, code);
  // It begins first, and comes second: it must not have an id by then.
  const cancelling = doOnce<never>(
    postgres,
    'payments',
    { key: 'cancel-first', request: 'x' },
    async (client) => {
      const purchase = (await findDecision(within(client), code))!;
      await cancelLines(client, purchase, linesToCancel(purchase, {})!, { restock: true }, true);
      return { status: 200, body: '{}' };
    },
    async (client) => void (await lockPurchase(client, code)),
  );
  await until('it waits', async () => (await sql('select 1 from pg_locks where not granted')).length > 0);
  await confirmPayment(other, code, true);
  await other.query('commit');
  await cancelling;
  const told = (await follow(from)).map(({ type, purchase }) => [type, stateOfPurchase(purchase!)]);
  assert.deepEqual(told, [
    ['purchase.pending', 'pending'],
    ['purchase.confirmed', 'confirmed'],
    ['purchase.cancelled', 'cancelled'],
  ]);
});
