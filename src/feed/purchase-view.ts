/** A purchase as its buyer and the shop read it. */
import { formatTime } from '../http/time.ts';
import { itemOf, type Payment, type Receipt, receiptOf, unitsOf } from '../store/decision.ts';
import { returnedUnits, stateOfPurchase } from '../store/purchase-state.ts';
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
  readonly prices?: NonNullable<CommittedDecision['prices']>;
  readonly payment?: Payment;
}

export function viewOfReceipt({ decision, names, prices, payment }: Shown): ReceiptView {
  const receipt = receiptOf(decision.lines, names, prices);
  if (payment === undefined) return receipt;
  return { ...receipt, payment: { state: payment.state, due_at: formatTime(payment.dueMs) } };
}

/** A line, with what has become of it since. */
type LineView = Receipt['purchased_items'][number] & {
  /** Units that were cancelled, if any were. */
  readonly cancelled?: number;
};

/** The receipt, with what has become of it since. */
function viewOfStory(purchase: CommittedDecision) {
  const state = stateOfPurchase(purchase);
  const { purchased_items: items, ...receipt } = viewOfReceipt(purchase);
  const back = state === 'released' ? new Map<string, number[]>() : returnedUnits(purchase);
  const lines = items.map((item): LineView => {
    const cancelled = item.sold ? back.get(item.id)?.length : undefined;
    return { ...item, ...(cancelled !== undefined && { cancelled }) };
  });
  return { state, receipt: { ...receipt, purchased_items: lines } };
}

/** A purchase as its buyer sees it later on. */
export function viewOfOwnPurchase(purchase: CommittedDecision) {
  const { success, purchased_items, ...more } = viewOfStory(purchase).receipt;
  return {
    ...{ success, purchased_items, ...more },
    sale_id: purchase.decision.saleId,
    purchased_at: formatTime(purchase.decision.decidedMs),
    state: stateOfPurchase(purchase),
  };
}

/** What was cancelled of a purchase at one time. */
export interface CancellationView {
  readonly cancelled_at: string;
  readonly restocked: boolean;
  readonly reason?: string;
  readonly items: readonly { readonly id: string; readonly quantity: number }[];
}

const cancellationsOf = ({ returns = [] }: CommittedDecision): CancellationView[] =>
  returns
    .filter(({ kind }) => kind === 'cancelled')
    .map(({ returnedMs, restocked, reason, lines }) => ({
      cancelled_at: formatTime(Math.floor(returnedMs)),
      restocked,
      ...(reason !== undefined && { reason }),
      items: lines.map((line) => ({ id: itemOf(`+${line}`), quantity: unitsOf(`+${line}`).length })),
    }));

/** A purchase as the shop sees it: the receipt, whose and when it is, and what was cancelled of it. */
export type PurchaseView = ReturnType<typeof viewOfPurchase>;

export function viewOfPurchase(purchase: CommittedDecision) {
  const { code, saleId, userId, decidedMs } = purchase.decision;
  const { state, receipt } = viewOfStory(purchase);
  const { success: _, purchased_items, ...more } = receipt;
  const cancellations = cancellationsOf(purchase);
  return {
    ...{ code, sale_id: saleId, user_id: userId, purchased_at: formatTime(decidedMs), state },
    ...{ purchased_items, ...more },
    ...(cancellations.length > 0 && { cancellations }),
  };
}
