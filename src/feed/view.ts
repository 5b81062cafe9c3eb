import { formatTime } from '../http/time.ts';
import type { FeedEvent } from '../store/feed/read.ts';
import { type PurchaseView, viewOfPurchase } from './purchase-view.ts';

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
