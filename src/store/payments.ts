/** Payments of purchases in sales with a payment window: Postgres decides what came first, by one conditional update. */
import { statement, type Transaction } from './postgres.ts';

const sql = {
  lock: statement('lock_purchase'),
  settle: statement('settle_payments'),
};

/**
 * Has this transaction wait for others that an operator has begun on the same purchase; to be called before it has written
 * anything. Throws what pg throws.
 */
export async function lockPurchase(client: Transaction, code: string): Promise<void> {
  await client.query({ ...sql.lock, values: [code] });
}

/**
 * Confirms a payment, within a transaction, if it is pending: also after it was due, as long as nobody has released it.
 * `tells`: the feed hears of it. Throws what pg throws.
 */
export async function confirmPayment(client: Transaction, code: string, tells: boolean): Promise<void> {
  const event = tells ? 'purchase.confirmed' : null;
  await client.query({ ...sql.settle, values: [[code], 'confirmed', event] });
}
