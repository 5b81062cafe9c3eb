import { formatTime } from '../http/time.ts';
import { receiptOf } from '../store/decision.ts';
import type { FeedEvent } from '../store/feed/read.ts';
import { PURCHASE_STATES } from '../store/purchase-pages.ts';
import type { CommittedDecision } from '../store/receipts.ts';

/** A purchase as the shop sees it: the receipt, and whose and when it is. */
export type PurchaseView = ReturnType<typeof viewOfPurchase>;

export function viewOfPurchase({ decision, names }: CommittedDecision) {
  const { code, saleId, userId, decidedMs, lines } = decision;
  const { success: _, ...receipt } = receiptOf(lines, names);
  return {
    code,
    sale_id: saleId,
    user_id: userId,
    purchased_at: formatTime(decidedMs),
    state: PURCHASE_STATES[0],
    ...receipt,
  };
}

/** An event as the shop sees it, in the console as in a webhook. */
export interface EventView {
  readonly id: string;
  readonly type: string;
  readonly timestamp: string;
  readonly data: PurchaseView | { readonly sale_id: string };
}

export const viewOfEvent = ({ id, type, saleId, atMs, purchase }: FeedEvent): EventView => ({
  id,
  type,
  timestamp: formatTime(atMs),
  data: purchase ? viewOfPurchase(purchase) : { sale_id: saleId },
});
