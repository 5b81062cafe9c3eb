/** What a sale is, and what every room asks of one: is it open, in which state is it, which one is active? */

/** The form of a sale's id. */
export const SALE_ID = /^S-[0-9a-f]{10}$/;

/** Items of one sale, and units of one item, at most. */
export const ITEMS_MAX = 1_000_000;

/** A sale opens at its start and is closed from its end on. A cancelled one ends where it begins. */
export interface Span {
  readonly startsAtMs: number;
  readonly endsAtMs: number;
  /** Nothing is sold until it is resumed; absent: it is not. */
  readonly paused?: boolean;
}

/** How the queue of a sale gives places, as far as an operator sets it. */
export interface QueueSettings {
  /** Places of the admission line per second; 0: it stands still. */
  readonly admitPerSecond: number;
  /** Nobody joins before; absent: from the beginning. */
  readonly opensAtMs?: number;
  /** Whether those who join before the start are drawn; else all stand in the order in which they came. */
  readonly draws: boolean;
  /** For how long an admitted place is good; absent: until the sale ends. */
  readonly passSeconds?: number;
}

/** The queue of a sale. Seed and key are secrets, the seed until the draw was made. */
export interface Queue extends QueueSettings {
  /** 32 bytes in hex: drawn places are made of it. */
  readonly seed: string;
  /** 32 bytes in hex: signs tickets. */
  readonly key: string;
  /** How many were drawn; absent while the draw was not made. */
  readonly drawn?: number;
}

/** A sale as a worker needs to know it; the truth is in Postgres (facts) and Redis (state). */
export interface LiveSale extends Span {
  readonly id: string;
  /** Units. */
  readonly total: number;
  /** Items; as many as units when it is left out. */
  readonly items?: number;
  readonly userLimit: number;
  /** Made by the scheduler on the hour, not through the admin API. */
  readonly hourly: boolean;
  /** Grows with every rebuild; the first part of the fence of every script call. */
  readonly epoch: number;
  /** Grows with every change of the facts by an operator; absent: none is known. */
  readonly version?: number;
  /** ISO 4217; of sales whose items may have prices. */
  readonly currency?: string;
  /** As the shop calls it. */
  readonly name?: string;
  /** How long a purchase waits for its payment; absent: it is final at once. */
  readonly paymentSeconds?: number;
  /** Who may check out, and in which turn; absent: everybody at once. */
  readonly queue?: Queue;
}

export const SALE_STATES = ['scheduled', 'active', 'paused', 'ended', 'cancelled'] as const;
export type SaleState = (typeof SALE_STATES)[number];

/** The state of a sale by this process' clock. Redis' clock decides what is sold; this one may differ a little. */
export function stateOf({ startsAtMs, endsAtMs, paused }: Span, nowMs: number): SaleState {
  if (endsAtMs <= startsAtMs) return 'cancelled';
  if (nowMs < startsAtMs) return 'scheduled';
  if (nowMs >= endsAtMs) return 'ended';
  return paused ? 'paused' : 'active';
}

/** Whether it will never sell again. */
export const isOver = (sale: Span, nowMs: number): boolean =>
  ['ended', 'cancelled'].includes(stateOf(sale, nowMs));

/** Whether it is within its hours, paused or not: a request without `sale_id` still means a paused sale. */
export const isOpen = ({ startsAtMs, endsAtMs }: Span, nowMs: number): boolean =>
  nowMs >= startsAtMs && nowMs < endsAtMs;

/**
 * The sale that a request without `sale_id` means: of the open ones, the one that began last. Where hourly sales are on,
 * only these count: a sale of the admin API takes nobody's place. Where they are off, only the others count: an hourly sale
 * that was made before the switch must not take the place of the shop's sale at the next hour.
 */
export function activeOf(
  sales: Iterable<LiveSale>,
  nowMs: number,
  hourlySales: boolean,
): LiveSale | undefined {
  let newest: LiveSale | undefined;
  for (const sale of sales) {
    if (sale.hourly !== hourlySales || !isOpen(sale, nowMs)) continue;
    if (newest === undefined || sale.startsAtMs > newest.startsAtMs) newest = sale;
  }
  return newest;
}
