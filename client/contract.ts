// Made from the contract by "node scripts/client-types.mjs"; test/client/contract.test.ts compares it. Do not edit.

export interface Cart {
  readonly code: CheckoutCode;
  /** Lines in the cart. */
  readonly items_count: number;
  /** When the sale closes, UTC. */
  readonly sale_ends_at: string;
}

export interface CartLine {
  readonly id: Id;
  /** The name of the item. */
  readonly name: string;
  /** Whether so many units are left. */
  readonly available: boolean;
  /** Units asked for, when more than one. */
  readonly quantity?: number | undefined;
}

export interface CartView {
  readonly code: CheckoutCode;
  readonly sale_id: SaleId;
  readonly items: readonly CartLine[];
  /** Lines in the cart. */
  readonly items_count: number;
}

/** The code of one cart: the id of its sale and 128 random bits. Only its user should know it. */
export type CheckoutCode = string;

/** An id of an item. */
export type Id = string;

export interface Item {
  readonly id: Id;
  /** The name of the item. */
  readonly name: string;
  /** Its picture: a path of this service, or the URL that the sale was created with. */
  readonly image_url: string;
  /** Whether committed purchases have sold all of it. */
  readonly sold: boolean;
  /** In minor units of the sale’s currency; of an item that was given one. */
  readonly price?: number | undefined;
  /** What the shop keeps with it; of an item that was given any. */
  readonly data?: Readonly<Record<string, unknown>> | undefined;
  /** Its units, when it has more than one. */
  readonly stock?: number | undefined;
  /** Units that no committed purchase holds, when it has more than one. */
  readonly left?: number | undefined;
}

export interface OwnPurchase {
  /** Whether at least one line was bought. */
  readonly success: boolean;
  /** Every line of the cart, in the order in which it was added. */
  readonly purchased_items: readonly PurchasedLine[];
  /** Lines bought. */
  readonly total_purchased: number;
  /** Lines that somebody else had bought. */
  readonly failed_count: number;
  readonly sale_id: SaleId;
  /** When it was decided, UTC. */
  readonly purchased_at: string;
  /** `final`: bought for good. In a sale with a payment window: `pending`, then `confirmed` or `released`. `cancelled`: taken back, all of it or some. */
  readonly state: 'final' | 'pending' | 'confirmed' | 'released' | 'cancelled' | 'partly_cancelled';
  readonly payment?: Payment | undefined;
}

/** What has become of the payment; where the sale has a payment window and something was bought. */
export interface Payment {
  /** `pending`: the units are held until `due_at`. `released`: it failed or came too late, and the units are back on the shelf. */
  readonly state: 'pending' | 'confirmed' | 'released';
  /** Until when the payment is awaited, UTC. */
  readonly due_at: string;
}

/** RFC 9457 problem details. */
export interface Problem {
  /** A URN that ends in the code. */
  readonly type: string;
  /** A few words for people. */
  readonly title: string;
  /** The status of the answer. */
  readonly status: number;
  /** A sentence for people. */
  readonly detail: string;
  /** Stable: decide by it. */
  readonly code: 'validation_failed' | 'malformed_request' | 'already_in_checkout' | 'user_limit_reached' | 'sale_not_active' | 'unauthorized' | 'buyer_unproven' | 'buyer_mismatch' | 'not_admitted' | 'sale_not_found' | 'item_not_found' | 'checkout_not_found' | 'not_found' | 'method_not_allowed' | 'request_timeout' | 'item_already_sold' | 'sale_sold_out' | 'sale_paused' | 'sale_state_conflict' | 'all_items_sold' | 'already_processed' | 'no_payment_window' | 'nothing_bought' | 'payment_released' | 'payment_confirmed' | 'payment_pending' | 'exceeds_purchase' | 'events_gone' | 'precondition_failed' | 'body_too_large' | 'unsupported_media_type' | 'expectation_failed' | 'idempotency_mismatch' | 'rate_limited' | 'headers_too_large' | 'internal_error' | 'overloaded' | 'unavailable' | 'outcome_unknown';
  /** The same sentence as `detail`, for older clients. */
  readonly message: string;
  /** The path of the request; empty when it could not be read. */
  readonly instance: string;
  /** The value of the header X-Request-Id; finds the request in the log. */
  readonly request_id: string;
}

export interface PurchasedLine {
  readonly id: Id;
  /** The name of the item. */
  readonly name: string;
  /** Whether this purchase bought it. */
  readonly sold: boolean;
  /** Units bought, when more than one was asked for: all of them or none. */
  readonly quantity?: number | undefined;
  /** Of one unit, in minor units of the sale’s currency; of an item that was given one. */
  readonly price?: number | undefined;
  /** Units of it that were cancelled, if any were. */
  readonly cancelled?: number | undefined;
}

export interface Queue {
  /** Buyers who are admitted per second. */
  readonly admit_per_second: number;
  /** Whether those who join before the start are drawn. */
  readonly draw: boolean;
  /** SHA-256 of the 32 bytes of the seed, which is told when the draw was made. */
  readonly seed_sha256: string;
  /** When buyers may begin to join. */
  readonly opens_at?: string | undefined;
  /** Seconds for which an admitted place is good. */
  readonly pass_seconds?: number | undefined;
  /** How many were drawn. */
  readonly drawn?: number | undefined;
  /** The seed of the draw: with it anybody can check his place. */
  readonly seed?: string | undefined;
}

export interface Receipt {
  /** Whether at least one line was bought. */
  readonly success: boolean;
  /** Every line of the cart, in the order in which it was added. */
  readonly purchased_items: readonly ReceiptLine[];
  /** Lines bought. */
  readonly total_purchased: number;
  /** Lines that somebody else had bought. */
  readonly failed_count: number;
  readonly payment?: Payment | undefined;
}

export interface ReceiptLine {
  readonly id: Id;
  /** The name of the item. */
  readonly name: string;
  /** Whether this purchase bought it. */
  readonly sold: boolean;
  /** Units bought, when more than one was asked for: all of them or none. */
  readonly quantity?: number | undefined;
  /** Of one unit, in minor units of the sale’s currency; of an item that was given one. */
  readonly price?: number | undefined;
}

export interface Sale {
  readonly id: SaleId;
  /** When the sale opens, UTC. */
  readonly started_at: string;
  /** When it closes, UTC. Nothing is sold from this moment on. */
  readonly ended_at: string;
  /** Units of the sale: as many as items, where no item has a stock. */
  readonly total_items: number;
  /** Units sold so far, without those that are held for payments. */
  readonly items_sold: number;
  /** Whether it is within its hours now, paused or not. */
  readonly active: boolean;
  /** `paused`: within its hours, but nothing is sold until it is resumed. `cancelled`: deleted before it began. */
  readonly state: 'scheduled' | 'active' | 'paused' | 'ended' | 'cancelled';
  /** Units held for payments that are pending; where the sale has a payment window. */
  readonly items_held?: number | undefined;
}

/** The id of a sale. */
export type SaleId = string;

export interface SaleWithLimit {
  readonly id: SaleId;
  /** When the sale opens, UTC. */
  readonly started_at: string;
  /** When it closes, UTC. Nothing is sold from this moment on. */
  readonly ended_at: string;
  /** Units of the sale: as many as items, where no item has a stock. */
  readonly total_items: number;
  /** Units sold so far, without those that are held for payments. */
  readonly items_sold: number;
  /** Whether it is within its hours now, paused or not. */
  readonly active: boolean;
  /** `paused`: within its hours, but nothing is sold until it is resumed. `cancelled`: deleted before it began. */
  readonly state: 'scheduled' | 'active' | 'paused' | 'ended' | 'cancelled';
  /** Units that one user may hold in this sale. */
  readonly user_limit: number;
  /** Units held for payments that are pending; where the sale has a payment window. */
  readonly items_held?: number | undefined;
  /** What the shop calls it. */
  readonly name?: string | undefined;
  /** The currency of its prices: a code of ISO 4217. */
  readonly currency?: string | undefined;
  /** Its payment window: how long the units of a purchase are held for its payment. */
  readonly payment_seconds?: number | undefined;
  readonly queue?: Queue | undefined;
  /** Its items are not for sale yet: they are being loaded. */
  readonly loading?: true | undefined;
  /** The share of its items that are loaded so far; with `loading`. */
  readonly loaded?: number | undefined;
}

export interface Turn {
  /** What a checkout brings. It names its user, and is of use to nobody else. */
  readonly ticket: string;
  /** The place in the queue, the first being 1; null while the draw was not made. */
  readonly place: number | null;
  /** Whether the buyer may check out now. */
  readonly admitted: boolean;
  /** When the sale opens, UTC. */
  readonly sale_starts_at: string;
  /** `drawing`: places are drawn when the sale starts. `over`: the place was admitted for longer than `pass_seconds`, and is gone: `POST /queue` gives another one, behind the others. */
  readonly state: 'drawing' | 'waiting' | 'admitted' | 'over';
  /** Places that come before this one; null while the draw was not made. */
  readonly before: number | null;
  /** Seconds until the turn, at the rate of now; null when nobody can tell. */
  readonly wait_seconds: number | null;
}
