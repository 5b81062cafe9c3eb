import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditSale } from '../../../src/store/audit/audit.ts';
import { createCheckouts } from '../../../src/store/checkouts.ts';
import { confirmPayment, expirePayments, releasePayment } from '../../../src/store/payments.ts';
import { createPurchases } from '../../../src/store/purchases.ts';
import { giveBack, shelveReturns } from '../../../src/store/returns.ts';
import { openSale, openStores } from '../../support/stores.ts';

const stores = await openStores();
const { redis, postgres, sql } = stores;
const NAMED = [
  { id: 'shirt', name: 'Shirt', stock: 20 },
  ...Array.from({ length: 6 }, (_, i) => ({ id: `one-${i}`, name: `Thing ${i}` })),
];

/** A sale in which everything has become of payments that can. */
async function openBooks() {
  const sale = await openSale(stores, { items: 26, limit: 20, named: NAMED, paymentSeconds: 60 });
  const buy = async (userId: string, itemId: string, quantity = 1) => {
    const { code } = await createCheckouts(redis, () => sale).add({ userId, itemId, quantity });
    const purchases = createPurchases({
      ...{ redis, postgres, sale: () => sale, onError: assert.ifError, forgetAfterMs: 0 },
    });
    assert.ok('decision' in (await purchases.add(code as string)));
    return code as string;
  };
  const act = <T>(work: (client: Parameters<typeof confirmPayment>[0]) => Promise<T>) =>
    postgres.transaction('payments', work);
  const [pending, paid, back] = [
    await buy('ada', 'shirt', 3),
    await buy('bob', 'one-0'),
    await buy('cid', 'one-1'),
  ];
  const [released, expired] = [await buy('dan', 'shirt', 2), await buy('eve', 'one-2')];
  for (const code of [paid, back]) await act((client) => confirmPayment(client, code, false));
  await giveBack(postgres, { saleId: sale.id, kind: 'cancelled', restock: true, codes: [{ code: back }] });
  await act((client) => releasePayment(client, sale.id, released, false));
  await sql(`update payments set due_at = now() where code = $1`, expired);
  assert.equal((await expirePayments(postgres, sale.id)).count, 1);
  assert.equal(await shelveReturns(redis, postgres, sale), true);
  const lines = async () =>
    (await auditSale(redis, postgres, sale.id))
      .filter(({ check }) => check === 'payments')
      .map(({ subject, problem }) => `${subject} ${problem}`);
  return { sale, pending, paid, back, released, expired, lines };
}

test('the books of payments in every state agree', async () => {
  const { sale } = await openBooks();
  assert.deepEqual(await auditSale(redis, postgres, sale.id), []);
});

test('what a payment says is compared with what its purchase holds and what came back', async () => {
  const { sale, pending, paid, back, released, expired, lines } = await openBooks();
  const set = (code: string, state: string) =>
    sql(
      `update payments set state = $2, settled_at = case $2 when 'pending' then null else now() end where code = $1`,
      code,
      state,
    );
  await set(released, 'confirmed');
  await set(paid, 'expired');
  await set(expired, 'released');
  await set(back, 'pending');
  await sql('update payments set units = 4 where code = $1', pending);
  assert.deepEqual(
    (await lines()).sort(),
    [
      `${released} was paid, and came back as released`,
      `${paid} is expired, and holds 1 units`,
      `${expired} is released, and came back as expired`,
      `${back} waits for the payment of 1 units, and holds 0`,
      `${pending} has a payment for 4 units, and has bought 3`,
    ].sort(),
  );
  const stray = `CHK-${sale.id}-${'0'.repeat(32)}`;
  await sql('update payments set code = $2 where code = $1', pending, stray);
  const found = await lines();
  assert.ok(found.includes(`${pending} has bought something, and has no payment`));
  assert.ok(found.includes(`${stray} has a payment, and has bought nothing`));
});
