/**
 * Payments of purchases in sales with a payment window. Each is settled once, by one conditional update: Postgres decides whether a
 * confirmation, a release or the expiry came first. All functions here throw what pg throws, or as `Postgres.query` does.
 */
import { type Postgres, statement, type Transaction } from './postgres.ts';
import { type GivenBack, giveBack } from './returns.ts';
import { within } from './within.ts';

const sql = {
  lockPurchase: statement('lock_purchase'),
  lock: statement('lock_payment'),
  lockDue: statement('lock_due_payments'),
  settle: statement('settle_payments'),
  due: statement('due_payments'),
  held: statement('held_units'),
};

/** Purchases that one transaction expires; some 50 ms. */
const EXPIRED_MAX = 500;
/** Units that it takes back at most: a purchase may hold a hundred. */
const EXPIRED_UNITS_MAX = 5_000;

/**
 * Has this transaction wait for others that an operator has begun on the same purchase; to be called before it has written anything.
 */
export async function lockPurchase(client: Transaction, code: string): Promise<void> {
  await client.query({ ...sql.lockPurchase, values: [code] });
}

/**
 * Confirms a payment if it is pending: also after it was due, as long as nothing has released it. `tells`: the feed hears of it.
 * Returns whether it was pending.
 */
export async function confirmPayment(client: Transaction, code: string, tells: boolean): Promise<boolean> {
  return (await settle(client, [code], 'confirmed', tells)) > 0;
}

/**
 * Releases a payment if it is pending, and takes back what it was for, in the caller's transaction. Undefined, and nothing has
 * happened, when a rebuild is under way; no returns when the payment is not pending.
 */
export async function releasePayment(
  client: Transaction,
  saleId: string,
  code: string,
  tells: boolean,
): Promise<GivenBack | 'settled' | undefined> {
  const { rowCount } = await client.query({ ...sql.lock, values: [code] });
  return rowCount === 0 ? 'settled' : takeBack(client, saleId, [code], 'released', tells);
}

/** A sale with payments that were due, and since when the oldest of them was, in seconds. */
export interface Due {
  readonly saleId: string;
  readonly ageS: number;
}

/** Sales with payments that were due and have not expired yet. */
export async function findDue(postgres: Postgres): Promise<Due[]> {
  const rows = await postgres.query<{ sale_id: string; age_s: number }>(sql.due);
  return rows.map(({ sale_id: saleId, age_s: ageS }) => ({ saleId, ageS }));
}

/** How many units of a sale are held for payments that are pending. */
export async function countHeld(postgres: Postgres, saleId: string): Promise<number> {
  const [row] = await postgres.query<{ held: number }>(sql.held, [saleId]);
  return (row as { held: number }).held;
}

export interface Expired {
  /** Purchases. */
  readonly count: number;
  /** Undefined when a rebuild is under way, and nothing has happened. */
  readonly given: GivenBack | undefined;
  /** Whether there may be more. */
  readonly isFull: boolean;
}

/** Expires payments of a sale that were due, in one transaction: the oldest, a bounded number. */
export function expirePayments(postgres: Postgres, saleId: string): Promise<Expired> {
  return postgres.transaction('payments', async (client) => {
    const { rows } = await client.query<{ code: string; units: number }>({
      ...sql.lockDue,
      values: [saleId, EXPIRED_MAX],
    });
    let units = 0;
    const codes = rows.flatMap((row) => {
      units += row.units;
      return units <= EXPIRED_UNITS_MAX ? row.code : [];
    });
    if (codes.length === 0) return { count: 0, given: undefined, isFull: false };
    const given = await takeBack(client, saleId, codes, 'expired', postgres.tells);
    return {
      count: given ? codes.length : 0,
      given,
      isFull: rows.length === EXPIRED_MAX || codes.length < rows.length,
    };
  });
}

/** Takes back what these purchases hold, and settles their payments, which this transaction has locked. */
async function takeBack(
  client: Transaction,
  saleId: string,
  codes: readonly string[],
  kind: 'released' | 'expired',
  tells: boolean,
): Promise<GivenBack | undefined> {
  const request = { saleId, kind, restock: true, codes: codes.map((code) => ({ code })) };
  const given = await giveBack(within(client), request);
  if (given !== undefined) await settle(client, codes, kind, tells);
  return given;
}

async function settle(
  client: Transaction,
  codes: readonly string[],
  state: 'confirmed' | 'released' | 'expired',
  tells: boolean,
): Promise<number> {
  const event = state === 'confirmed' ? 'purchase.confirmed' : 'purchase.released';
  const settled = await client.query({ ...sql.settle, values: [codes, state, tells ? event : null] });
  return settled.rowCount ?? 0;
}
