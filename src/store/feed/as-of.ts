import type { CommittedDecision } from '../receipts.ts';

/**
 * A purchase as it was when something happened to it: it is read later, and more may have happened since. A cancellation is told in
 * the transaction that made it, and has its very time.
 */
export function asOf(purchase: CommittedDecision, type: string, atUs: number): CommittedDecision {
  const { payment, returns = [], ...bought } = purchase;
  switch (type) {
    case 'purchase.completed':
      return bought;
    case 'purchase.pending':
    case 'purchase.confirmed': {
      const state = type === 'purchase.pending' ? 'pending' : 'confirmed';
      return { ...bought, ...(payment && { payment: { ...payment, state } }) };
    }
    default: {
      const own = returns.findIndex(({ returnedMs }) => Math.round(returnedMs * 1_000) === atUs);
      return own < 0 ? purchase : { ...purchase, returns: returns.slice(0, own + 1) };
    }
  }
}
