/**
 * What the numbers that scripts answer mean, in one table: `test/headers.test.ts` compares it with the scripts' headers.
 * Every script answers -1 to a caller whom its gate does not let in.
 */
export const FENCED = -1;

/** `lua/checkout.lua`, for a whole batch. */
export const OF_CHECKOUT_BATCH = {
  [FENCED]: 'fenced',
  [-2]: 'not-begun',
  [-3]: 'ended',
  [-4]: 'sold-out',
  [-9]: 'paused',
} as const;

/** `lua/checkout.lua`, for one operation. */
export const OF_CHECKOUT = {
  1: 'added',
  2: 'already-in-cart',
  [-4]: 'sold-out',
  [-5]: 'no-item',
  [-6]: 'item-sold',
  [-7]: 'limit',
  [-8]: 'too-many-carts',
} as const;

/** `lua/queue_join.lua`, for a whole batch. */
export const OF_JOIN_BATCH = {
  [FENCED]: 'fenced',
  [-2]: 'not-open',
  [-3]: 'ended',
} as const;

/** `lua/queue_join.lua`, for one operation. */
export const OF_JOIN = {
  [-4]: 'full',
  [-5]: 'unreserved',
} as const;

/** `lua/purchase.lua`, for one code. */
export const OF_PURCHASE = {
  1: 'decided',
  2: 'decided-before',
  [-2]: 'not-begun',
  [-3]: 'ended',
  [-5]: 'no-code',
  [-7]: 'limit',
  [-9]: 'paused',
} as const;
