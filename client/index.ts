/** The client of flashsale: for browsers and for Node 20.19 and later, without dependencies. */
export { OutcomeUnknown } from './buy.ts';
export type * from './contract.ts';
export { Refusal, type RefusalCode } from './errors.ts';
export type { FollowOptions } from './follow.ts';
export type { LiveMessage } from './live.ts';
export type { WaitOptions } from './queue.ts';
export type { CallOptions, OnWait } from './send.ts';
export {
  type CheckoutOptions,
  createShop,
  type ItemsPage,
  type ItemsQuery,
  type Shop,
  type ShopOptions,
} from './shop.ts';
