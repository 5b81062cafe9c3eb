import type { CommittedDecision } from './receipts.ts';

/** What can become of a purchase: it is final at once, or pending first in a sale with a payment window. */
export const PURCHASE_STATES = ['final', 'pending', 'confirmed', 'released'] as const;
export type PurchaseState = (typeof PURCHASE_STATES)[number];

export const stateOfPurchase = ({ payment }: Pick<CommittedDecision, 'payment'>): PurchaseState =>
  payment?.state ?? 'final';
