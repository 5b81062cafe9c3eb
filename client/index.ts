/** The client of flashsale: for browsers and for Node 20.19 and later, without dependencies. */
export { OutcomeUnknown } from './buy.ts';
export type * from './contract.ts';
export { Refusal, type RefusalCode } from './errors.ts';
export type { LiveMessage, LiveOptions } from './live.ts';
export type { CallOptions, OnWait } from './send.ts';
export {
  type CheckoutOptions,
  createShop,
  type ItemsPage,
  type ItemsQuery,
  type Shop,
  type ShopOptions,
} from './shop.ts';
