import { formatTime } from '../http/time.ts';
import { type Payment, type Receipt, receiptOf } from '../store/decision.ts';
import type { FeedEvent } from '../store/feed/read.ts';
import { stateOfPurchase } from '../store/purchase-state.ts';
import type { CommittedDecision } from '../store/receipts.ts';

/** A receipt as its buyer sees it, with what has become of its payment. */
export interface ReceiptView extends Receipt {
  /** Where the sale has a payment window and something was bought. */
  readonly payment?: { readonly state: Payment['state']; readonly due_at: string };
}

/** What a decision and its payment read like. */
interface Shown {
  readonly decision: Pick<CommittedDecision['decision'], 'lines'>;
  readonly names: CommittedDecision['names'];
  readonly payment?: Payment;
}

export function viewOfReceipt({ decision, names, payment }: Shown): ReceiptView {
  const receipt = receiptOf(decision.lines, names);
  if (payment === undefined) return receipt;
  return { ...receipt, payment: { state: payment.state, due_at: formatTime(payment.dueMs) } };
}

/** A purchase as its buyer sees it later on. */
export const viewOfOwnPurchase = (purchase: CommittedDecision) => ({
  ...viewOfReceipt(purchase),
  sale_id: purchase.decision.saleId,
  purchased_at: formatTime(purchase.decision.decidedMs),
  state: stateOfPurchase(purchase),
});

/** A purchase as the shop sees it: the receipt, and whose and when it is. */
export type PurchaseView = ReturnType<typeof viewOfPurchase>;

export function viewOfPurchase(purchase: CommittedDecision) {
  const { code, saleId, userId, decidedMs } = purchase.decision;
  const { success: _, ...receipt } = viewOfReceipt(purchase);
  return {
    code,
    sale_id: saleId,
    user_id: userId,
    purchased_at: formatTime(decidedMs),
    state: stateOfPurchase(purchase),
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
