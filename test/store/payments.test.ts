import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newCode } from '../../src/store/checkouts.ts';
import { commitDecisions, commitSound } from '../../src/store/commit.ts';
import { decideCodes } from '../../src/store/decide.ts';
import type { Decision } from '../../src/store/decision.ts';
import { fenceOf } from '../../src/store/fence.ts';
import { sweepOutbox } from '../../src/store/outbox.ts';
import { confirmPayment } from '../../src/store/payments.ts';
import { createPurchases } from '../../src/store/purchases.ts';
import { rebuildSale } from '../../src/store/rebuild.ts';
import { findDecision } from '../../src/store/receipts.ts';
import { salvageDecisions } from '../../src/store/salvage.ts';
import { openFeed } from '../support/feed.ts';
import { until } from '../support/processes.ts';
import { addSale, openSale, type SaleOptions, type TestSale } from '../support/stores.ts';

const stores = await openFeed();
const { redis, postgres, sql, fill, pay, end, follow } = stores;
const open = (options: SaleOptions = {}) => openSale(stores, { items: 8, paymentSeconds: 600, ...options });

const decisionOf = (sale: TestSale, ...lines: string[]): Decision => ({
  ...{ code: newCode(sale.id), saleId: sale.id, userId: 'ada', decidedMs: 1_795_000_000_123, lines },
});
const payments = (sale: TestSale) =>
  sql('select code, units, state from payments where sale_id = $1 order by code', sale.id);
const confirm = (code: string) =>
  postgres.transaction('payments', (client) => confirmPayment(client, code, true));
const paymentOf = async (code: string) => (await findDecision(postgres, code))?.payment;
const nowMs = async () =>
  Number((await sql('select (extract(epoch from now()) * 1000)::float8 as ms'))[0]!.ms);

test('a commit in a sale with a payment window notes what waits for its payment, in units and until when', async () => {
  const named = [
    { id: 'shirt', name: 'Shirt', stock: 10 },
    { id: 'lamp', name: 'Lamp' },
  ];
  const sale = await addSale(stores, { items: 11, named, paymentSeconds: 600 });
  const many = decisionOf(sale, '+shirt@5-7,9', '+lamp');
  const lost = decisionOf(sale, '-lamp', '-shirt*2');
  const beganMs = await nowMs();
  const done = await commitDecisions(postgres, sale, [many, lost]);
  assert.deepEqual(await payments(sale), [{ code: many.code, units: 5, state: 'pending' }]);
  assert.ok(done!.dueMs! >= Math.floor(beganMs) + 600_000 && done!.dueMs! <= (await nowMs()) + 600_000);
  assert.deepEqual(await paymentOf(many.code), { state: 'pending', dueMs: done!.dueMs });
  assert.equal(await paymentOf(lost.code), undefined);
  assert.deepEqual((await commitDecisions(postgres, sale, [many]))?.standing, [many.code]);
  assert.deepEqual(
    await paymentOf(many.code),
    { state: 'pending', dueMs: done!.dueMs },
    'it stays as it was',
  );
});

test('Postgres knows whether a sale has a window: a committer that believes otherwise does no harm', async () => {
  const windowed = await addSale(stores, { paymentSeconds: 10 });
  const plain = await addSale(stores);
  const [paid, final] = [
    decisionOf(windowed, `+${windowed.itemIds[0]}`),
    decisionOf(plain, `+${plain.itemIds[0]}`),
  ];
  assert.ok((await commitDecisions(postgres, { id: windowed.id, epoch: 0 }, [paid]))?.dueMs);
  const believed = { ...plain, paymentSeconds: 10 };
  assert.deepEqual(await commitDecisions(postgres, believed, [final]), { standing: [], dueMs: undefined });
  assert.equal((await payments(windowed)).length, 1);
  assert.deepEqual(await payments(plain), []);
  for (const sale of [windowed, plain])
    assert.equal(await commitDecisions(postgres, { ...sale, epoch: 1 }, [decisionOf(sale, '+x')]), undefined);
});

test('a batch with a contradiction: the others wait for their payments', async () => {
  const sale = await addSale(stores, { paymentSeconds: 60 });
  const [a, b, c] = sale.itemIds;
  await commitDecisions(postgres, sale, [decisionOf(sale, `+${a}`)]);
  const batch = [
    decisionOf(sale, `+${b}`),
    decisionOf(sale, `+${a}`),
    decisionOf(sale, `+${c}`),
    decisionOf(sale, `-${a}`),
  ];
  const sound = await commitSound(postgres, sale, batch, () => {});
  assert.deepEqual([...sound!.dueMs.keys()].sort(), [batch[0]!.code, batch[2]!.code].sort());
  assert.equal((await payments(sale)).length, 3);
});

test('a purchase is answered with its payment, also when it is posted again', async () => {
  const sale = await open();
  const code = await fill(sale, 'ada', 0, 1);
  const purchases = createPurchases({ ...{ redis, postgres, sale: () => sale, onError: assert.ifError } });
  const [first, again] = await Promise.all([purchases.add(code), purchases.add(code)]);
  assert.ok('decision' in first && 'decision' in again);
  assert.equal(first.payment?.state, 'pending');
  assert.deepEqual(again.payment, first.payment);
  await confirm(code);
  const later = await purchases.add(code);
  assert.ok('decision' in later);
  assert.deepEqual(later.payment, { ...first.payment, state: 'confirmed' });
});

/** Each commits what nobody has committed yet. */
const committers: Record<string, (sale: TestSale) => Promise<unknown>> = {
  'the sweeper': (sale) => until('it is swept', () => sweepOutbox(redis, postgres, sale, 0, assert.fail)),
  'a rebuild': (sale) => rebuildSale(redis, postgres, sale.id, assert.fail),
  'the saver': (sale) => salvageDecisions(redis, postgres, sale, fenceOf(sale.epoch), assert.fail),
};
for (const [name, commit] of Object.entries(committers))
  test(`what ${name} commits waits for its payment too`, async () => {
    const sale = await open();
    const code = await fill(sale, 'ada', 0, 1);
    await decideCodes(redis, sale, [code]);
    await commit(sale);
    assert.deepEqual(await payments(sale), [{ code, units: 2, state: 'pending' }]);
  });

test('a payment is confirmed once, also after it was due, and what was settled otherwise stays', async () => {
  const sale = await open();
  const codes = await Promise.all([0, 1, 2, 3].map((n) => fill(sale, `user-${n}`, n)));
  await pay(sale, ...codes);
  const [paid, late, released, expired] = codes as [string, string, string, string];
  const from = await end();
  await sql(`update payments set due_at = now() - interval '1 minute' where code = $1`, late);
  await sql(`update payments set state = 'released', settled_at = now() where code = $1`, released);
  await sql(`update payments set state = 'expired', settled_at = now() where code = $1`, expired);
  for (const code of [...codes, ...codes, newCode(sale.id)]) await confirm(code);
  const states = new Map((await payments(sale)).map(({ code, state }) => [code, state]));
  assert.deepEqual(
    codes.map((code) => states.get(code)),
    ['confirmed', 'confirmed', 'released', 'expired'],
  );
  assert.equal((await paymentOf(expired))?.state, 'released', 'an expired one reads as released');
  const told = (await follow(from)).map(({ type, purchase }) => [type, purchase?.decision.code]);
  assert.deepEqual(told, [
    ['purchase.confirmed', paid],
    ['purchase.confirmed', late],
  ]);
});

test('the feed tells of a purchase in a sale with a window that it is pending, and nothing more', async () => {
  const from = await end();
  const sale = await open();
  const plain = await openSale(stores);
  const codes = await Promise.all([0, 1].map((n) => fill(sale, `user-${n}`, n)));
  const final = await fill(plain, 'ada', 0);
  await pay(sale, ...codes);
  await pay(plain, final);
  const told = (await follow(from)).map(({ type, purchase }) => [type, purchase!.decision.code]);
  assert.deepEqual(told.slice(0, 2).sort(), codes.map((code) => ['purchase.pending', code]).sort());
  assert.deepEqual(told.slice(2), [['purchase.completed', final]]);
});

test('a sale without a window has no payments, and a window out of bounds is refused', async () => {
  const sale = await openSale(stores);
  const code = await fill(sale, 'ada', 0);
  await pay(sale, code);
  assert.deepEqual([await payments(sale), await paymentOf(code)], [[], undefined]);
  for (const paymentSeconds of [9, 86_401])
    await assert.rejects(addSale(stores, { paymentSeconds }), { code: '23514' });
});
