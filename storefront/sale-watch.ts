import type { Item, SaleWithLimit, Shop } from '../client/index.ts';

export interface Counts {
  readonly sold: number;
  readonly held: number;
  readonly left: number;
}

export type State = SaleWithLimit['state'];

/** A sale as the page knows it: what the service told, and what it tells while it runs. */
export interface SaleWatch {
  readonly sale: SaleWithLimit;
  readonly startMs: number;
  readonly endMs: number;
  readonly counts: Counts;
  /** By the service's clock, so that it opens at its start, not when somebody says so. */
  readonly state: State;
  /** Units of an item that are left, as far as is known. */
  leftOf(item: Item): number;
  /** An item is gone: the service refused it. */
  isGone(itemId: string): void;
  /** Calls back after each change; returns how to leave. */
  subscribe(onChange: () => void): () => void;
  close(): void;
}

export function watchSale(shop: Shop, sale: SaleWithLimit): SaleWatch {
  const left = new Map<string, number>();
  const listeners = new Set<() => void>();
  const leave = new AbortController();
  let told: State = sale.state;
  let endMs = Date.parse(sale.ended_at);
  const startMs = Date.parse(sale.started_at);
  let counts: Counts = { sold: sale.items_sold, held: 0, left: sale.total_items - sale.items_sold };
  const changed = () => {
    for (const listener of listeners) listener();
  };

  const listen = async () => {
    for await (const message of shop.live(sale.id, { signal: leave.signal })) {
      told = message.state;
      counts = { sold: message.items_sold, held: message.items_held, left: message.items_left };
      for (const [itemId, count] of Object.entries(message.items)) left.set(itemId, count);
      // It may have been extended, or ended early.
      if (told === 'ended') endMs = Math.min(endMs, shop.now());
      else if (told === 'active' && shop.now() >= endMs)
        endMs = Date.parse((await shop.sale(sale.id)).ended_at);
      changed();
    }
  };
  listen().catch(() => {});

  return {
    sale,
    startMs,
    get endMs() {
      return endMs;
    },
    get counts() {
      return counts;
    },
    get state() {
      const now = shop.now();
      if (told === 'cancelled') return told;
      if (now < startMs) return 'scheduled';
      if (now >= endMs) return 'ended';
      return told === 'paused' ? 'paused' : 'active';
    },
    leftOf: (item) => (counts.left <= 0 ? 0 : (left.get(item.id) ?? item.left ?? (item.sold ? 0 : 1))),
    isGone(itemId) {
      left.set(itemId, 0);
      changed();
    },
    subscribe(onChange) {
      listeners.add(onChange);
      return () => void listeners.delete(onChange);
    },
    close: () => leave.abort(),
  };
}
