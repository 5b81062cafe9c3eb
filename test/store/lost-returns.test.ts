/** A Postgres that came back older has lost returns that Redis still knows, and on which later purchases rest. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Log, openLog } from '../../src/log.ts';
import { createSaver } from '../../src/primary/duties/saver.ts';
import { auditSale } from '../../src/store/audit/audit.ts';
import { createCheckouts } from '../../src/store/checkouts.ts';
import { keysOf } from '../../src/store/keys.ts';
import { createPurchases } from '../../src/store/purchases.ts';
import { rebuildSale } from '../../src/store/rebuild.ts';
import { retireSale } from '../../src/store/retire.ts';
import {
  carryReturns,
  type GiveBack,
  giveBack,
  readLastReturns,
  shelveReturns,
} from '../../src/store/returns.ts';
import { isSellable } from '../../src/store/sales.ts';
import { until } from '../support/processes.ts';
import { openSale, openStores, type TestSale } from '../support/stores.ts';

const stores = await openStores();
const { redis, postgres, sql } = stores;
const { log } = openLog('silent', 'test') as { log: Log };

const NAMED = [
  { id: 'shirt', name: 'Shirt', stock: 4 },
  { id: 'poster', name: 'Poster' },
];
const open = (limit = 10) => openSale(stores, { items: 5, limit, named: NAMED });

async function buy(sale: TestSale, userId: string, ...wanted: [string, number][]): Promise<string> {
  const checkouts = createCheckouts(redis, () => sale);
  let code = '';
  for (const [itemId, quantity] of wanted) {
    const cart = await checkouts.add({ userId, itemId, quantity });
    assert.equal(cart.outcome, 'added');
    code = cart.code;
  }
  const purchases = createPurchases({
    ...{ redis, postgres, sale: () => sale },
    ...{ onError: assert.ifError, forgetAfterMs: 0 },
  });
  assert.equal((await purchases.add(code)).outcome, 'decided');
  await until('it is forgotten', async () => (await redis.command('XLEN', keysOf(sale.id).outbox)) === 0);
  return code;
}
async function take(sale: TestSale, code: string, lines?: string[], restock = true): Promise<void> {
  const codes: GiveBack['codes'] = [{ code, ...(lines && { lines }) }];
  const given = await giveBack(postgres, {
    saleId: sale.id,
    kind: 'cancelled',
    restock,
    reason: 'why',
    codes,
  });
  assert.equal(given?.returns.length, 1);
  assert.equal(await shelveReturns(redis, postgres, sale, given?.returns[0]?.number), true);
}

const TABLES = ['decisions', 'purchases', 'returns', 'return_counts'] as const;
/** What Postgres holds of a sale now. */
async function remember(sale: TestSale): Promise<Record<string, unknown[]>> {
  const rows = await Promise.all(
    TABLES.map((table) => sql(`select to_jsonb(t) as row from ${table} t where sale_id = $1`, sale.id)),
  );
  return Object.fromEntries(TABLES.map((table, i) => [table, rows[i]!.map(({ row }) => row)]));
}
/** Postgres comes back as it was then. */
async function goBack(sale: TestSale, then: Record<string, unknown[]>): Promise<void> {
  for (const table of TABLES) {
    await sql(`delete from ${table} where sale_id = $1`, sale.id);
    const rows = JSON.stringify(then[table]);
    await sql(`insert into ${table} select * from jsonb_populate_recordset(null::${table}, $1::jsonb)`, rows);
  }
}
const sorted = (books: Record<string, unknown[]>) =>
  TABLES.map((table) => [table, books[table]!.map((row) => JSON.stringify(row)).sort()]);

async function rebuilt(sale: TestSale): Promise<TestSale & { returns: number; salvaged: number }> {
  const { epoch, returns, salvaged } = (await rebuildSale(redis, postgres, sale.id, assert.fail))!;
  const again = { ...sale, epoch, returns, salvaged };
  assert.deepEqual(await auditSale(redis, postgres, sale.id), []);
  assert.equal(await isSellable(redis, again), true);
  return again;
}

/** A history in which units change hands: each of its steps, with a name. */
function historyOf(sale: TestSale): [string, () => Promise<unknown>][] {
  const codes: Record<string, string> = {};
  const bought =
    (user: string, ...wanted: [string, number][]) =>
    async () => {
      codes[user] = await buy(sale, user, ...wanted);
    };
  return [
    ['ada buys', bought('ada', ['poster', 1], ['shirt', 3])],
    ['ada gives units back', () => take(sale, codes.ada!, ['poster', 'shirt@2'])],
    ['bob buys one of them', bought('bob', ['poster', 1])],
    ['bob gives it back', () => take(sale, codes.bob!)],
    ['cid buys it, and more', bought('cid', ['poster', 1], ['shirt', 1])],
    ['ada gives one back that nobody gets', () => take(sale, codes.ada!, ['shirt@3'], false)],
    ['ada gives the rest back', () => take(sale, codes.ada!)],
    ['dan buys that', bought('dan', ['shirt', 1])],
  ];
}

test('wherever Postgres stops, what Redis knows of returns and purchases since is saved, and is the same', async () => {
  const length = historyOf({} as TestSale).length;
  for (let lost = 1; lost <= length; lost++) {
    const sale = await open();
    let then: Record<string, unknown[]> = {};
    for (const [i, [, step]] of historyOf(sale).entries()) {
      if (i === length - lost) then = await remember(sale);
      await step();
    }
    const now = await remember(sale);
    await goBack(sale, then);
    const again = await rebuilt(sale);
    assert.deepEqual(sorted(await remember(sale)), sorted(now), `without the last ${lost} steps`);
    assert.equal(again.returns + again.salvaged >= lost, true);
    assert.equal((await rebuilt(again)).returns, 0, 'once');
  }
});

test('a return that was made again under the number of a lost one does not hide it', async () => {
  const sale = await open();
  const [ada, bob] = [
    await buy(sale, 'ada', ['poster', 1], ['shirt', 1]),
    await buy(sale, 'bob', ['shirt', 2]),
  ];
  const then = await remember(sale);
  await take(sale, ada, ['poster', 'shirt@3']);
  const cid = await buy(sale, 'cid', ['poster', 1]);
  await goBack(sale, then);
  // Before anybody has compared: bob's return takes the number, and ada's is asked for again, in part.
  const request = { saleId: sale.id, kind: 'cancelled', restock: true } as const;
  const given = await giveBack(postgres, { ...request, codes: [{ code: bob, lines: ['shirt@1'] }] });
  assert.equal(given?.returns[0]?.number, 1);
  assert.equal(await shelveReturns(redis, postgres, sale, 1), false);
  assert.equal(await isSellable(redis, sale), false, 'the gate is shut');
  await giveBack(postgres, { ...request, codes: [{ code: ada, lines: ['shirt@3'] }] });
  const again = await rebuilt(sale);
  assert.deepEqual([again.returns, again.salvaged], [1, 1]);
  const rows = await sql(
    'select number, code, lines from returns where sale_id = $1 order by number',
    sale.id,
  );
  assert.deepEqual(
    rows.map(({ number, code, lines }) => [number, code, lines]),
    [
      [1, bob, 'shirt@1'],
      [2, ada, 'shirt@3'],
      [3, ada, 'poster'],
    ],
  );
  const [holder] = await sql(`select code from purchases where sale_id = $1 and item_id = 'poster'`, sale.id);
  assert.equal(holder?.code, cid);
});

test('a Postgres without its last returns is noticed by the leader, and its sale is not retired', async () => {
  const sale = await open();
  const ada = await buy(sale, 'ada', ['poster', 1], ['shirt', 1]);
  await take(sale, ada, ['shirt@3']);
  const then = await remember(sale);
  await take(sale, ada);
  await goBack(sale, then);
  const shut = async () => !(await isSellable(redis, sale));
  const last = (await readLastReturns(postgres)).get(sale.id) as number;
  assert.equal(await carryReturns(redis, postgres, sale, last + 1), 0);
  assert.equal(await shut(), false, 'a number that is older than the return is no loss');
  assert.equal(await carryReturns(redis, postgres, sale, last), 0);
  assert.equal(await shut(), true);
  let again = await rebuilt(sale);
  await goBack(sale, then);
  const saver = createSaver({ redis, postgres, log, sales: () => [again], onSalvaged: () => {} });
  await saver.save();
  assert.equal(await isSellable(redis, again), false);
  again = await rebuilt(again);
  await goBack(sale, then);
  const over = { ...again, endsAtMs: Date.now() - 1_000 };
  const options = {
    afterMs: 0,
    onContradiction: assert.fail,
    onSalvaged: () => {},
    onDifferences: () => assert.fail(),
  };
  assert.equal(await retireSale(redis, postgres, over, options), false);
  assert.equal(await isSellable(redis, again), false);
  await rebuilt(again);
});

test('of a return from before the last rebuild that went through nothing is saved', async () => {
  const sale = await open();
  const ada = await buy(sale, 'ada', ['poster', 1]);
  const { returns, sale: hash, gate } = keysOf(sale.id);
  await rebuilt(sale);
  await redis.command('HSET', returns, '1', `${ada} cancelled 1 1 poster\t`);
  await redis.command('HSET', hash, 'epoch', '1');
  await redis.command('DEL', gate);
  const again = await rebuilt(sale);
  assert.equal(again.returns, 0);
});
