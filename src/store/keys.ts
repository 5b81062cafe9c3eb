/** The Redis keys of one sale. All share one hash tag, so a sale lives in one slot of a Redis Cluster. */
export function keysOf(saleId: string) {
  const tag = `{${saleId}}`;
  return {
    gate: `${tag}:gate`,
    sale: `${tag}:sale`,
    items: `${tag}:items`,
    names: `${tag}:names`,
    carts: `${tag}:carts`,
    codes: `${tag}:codes`,
    bought: `${tag}:bought`,
    decisions: `${tag}:decisions`,
    outbox: `${tag}:outbox`,
    free: `${tag}:free`,
    returns: `${tag}:returns`,
  } as const;
}

/** The Redis keys of a sale's queue. They outlive rebuilds of the sale, and go with it. */
export const queueKeysOf = (saleId: string) => ({
  queue: `{${saleId}}:queue`,
  places: `{${saleId}}:places`,
  past: `{${saleId}}:past`,
});

/**
 * This channel tells every worker of which items nothing is left, and which are back: `sale epoch changes gone item +item …`, the
 * latter with a sign.
 */
export const SOLD_CHANNEL = 'flashsale:sold';

/** In a Cluster each sale has its own channel, in its slot. `lua/purchase.lua` and `lua/shelve.lua` know it by its brace, and publish within the slot. */
export const saleChannelOf = (saleId: string): string => `{${saleId}}:sold`;
