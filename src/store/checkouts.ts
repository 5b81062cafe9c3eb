import { randomFillSync } from 'node:crypto';
import { ITEMS_MAX, type LiveSale } from '../sale.ts';
import { type Batcher, createBatcher } from './batcher.ts';
import { Fenced } from './errors.ts';
import { fenceOf } from './fence.ts';
import { keysOf } from './keys.ts';
import { type Redis, script } from './redis.ts';
import { OF_CHECKOUT, OF_CHECKOUT_BATCH } from './statuses.ts';

/** Operations of one script call: about 1 ms of Redis' only thread, and other calls wait for it. */
const BATCH_MAX = 256;
/** Calls under way per worker and sale: one being run, one on the wire. */
const IN_FLIGHT_MAX = 2;
/** Operations that may wait per worker and sale: some 200 ms of work, after which waiting is not worth it. */
const PENDING_MAX = 8_192;
/**
 * Carts of one sale at a time, per unit and at least. A cart that is never bought stays until the sale is retired:
 * without a bound, one client with many user ids could fill Redis, which is all sales'.
 */
const CARTS_PER_UNIT = 100;
const CARTS_LEAST = 100_000;

export interface CheckoutOp {
  readonly userId: string;
  readonly itemId: string;
  /** Sets the quantity of the item's line; 0 takes it out. Without it one unit is added, unless the item is in the cart. */
  readonly quantity?: number | undefined;
}

export interface CheckoutResult {
  readonly outcome:
    | (typeof OF_CHECKOUT_BATCH)[keyof typeof OF_CHECKOUT_BATCH]
    | (typeof OF_CHECKOUT)[keyof typeof OF_CHECKOUT];
  /** The code of the user's cart; '' when there is none in this answer. */
  readonly code: string;
  /** Lines in the user's cart. */
  readonly lines: number;
}

const checkoutScript = script('checkout');

/** A batcher of the checkouts of one sale. `sale` is asked anew for each batch, since its epoch may grow. */
export function createCheckouts(
  redis: Redis,
  sale: () => LiveSale,
  onBatch?: (size: number) => void,
): Batcher<CheckoutOp, CheckoutResult> {
  return createBatcher<CheckoutOp, CheckoutResult>({
    batchMax: BATCH_MAX,
    inFlightMax: IN_FLIGHT_MAX,
    pendingMax: PENDING_MAX,
    onBatch,
    async run(ops) {
      const { id, epoch, total } = sale();
      const k = keysOf(id);
      const declared = [k.gate, k.sale, k.items, k.carts, k.codes, k.bought];
      // One text instead of three arguments per operation: writing so many small ones costs node 5 µs each.
      let packed = '';
      for (const { userId, itemId, quantity } of ops) {
        const line = quantity === undefined ? itemId : `${itemId}*${quantity}`;
        packed += `${userId} ${line} ${newCode(id)} `;
      }
      const args = [fenceOf(epoch), String(cartsMax(total)), packed];
      const reply = await redis.run(checkoutScript, declared, args);
      return typeof reply === 'number' ? ops.map(() => wholeBatch(id, reply)) : perItem(reply as string);
    },
  });
}

/** How many carts a sale of so many units may hold at a time; past a million units, as many as with a million. */
export const cartsMax = (total: number): number =>
  Math.max(CARTS_LEAST, CARTS_PER_UNIT * Math.min(total, ITEMS_MAX));

function wholeBatch(saleId: string, status: number): CheckoutResult {
  const outcome = OF_CHECKOUT_BATCH[status as keyof typeof OF_CHECKOUT_BATCH];
  if (outcome === 'fenced') throw new Fenced(saleId);
  return { outcome, code: '', lines: 0 };
}

function perItem(reply: string): CheckoutResult[] {
  const words = reply.split(' ');
  const results: CheckoutResult[] = [];
  for (let i = 0; i < words.length; i += 3) {
    const outcome = OF_CHECKOUT[Number(words[i]) as keyof typeof OF_CHECKOUT];
    const code = words[i + 1] as string;
    results.push({ outcome, code: code === '-' ? '' : code, lines: Number(words[i + 2]) });
  }
  return results;
}

// 128 random bits per code, drawn in bulk: one call of the generator per code would cost a microsecond more.
const pool = Buffer.allocUnsafe(16 * 256);
let used = pool.length;

/** A fresh checkout code: `CHK-`, the sale's id, 32 hex digits from the system's generator. */
export function newCode(saleId: string): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += 16;
  return `CHK-${saleId}-${pool.toString('hex', used - 16, used)}`;
}

/** The form of a checkout code; the first group is its sale. */
export const CHECKOUT_CODE = /^CHK-(S-[0-9a-f]{10})-[0-9a-f]{32}$/;

/** The sale that a well-formed checkout code belongs to; undefined for anything else. */
export function saleOfCode(code: string): string | undefined {
  return CHECKOUT_CODE.exec(code)?.[1];
}
