import { buy } from './buy.ts';
import { createClock } from './clock.ts';
import type { Cart, CartView, Item, OwnPurchase, Receipt, Sale, SaleWithLimit, Turn } from './contract.ts';
import { Refusal } from './errors.ts';
import type { FollowOptions } from './follow.ts';
import { type LiveMessage, live } from './live.ts';
import { joinQueue, type WaitOptions, waitForTurn } from './queue.ts';
import { type CallOptions, createSend, type Send, type SendDeps } from './send.ts';

export interface ShopOptions {
  /** Where the service is: `https://shop.example/`, or a path of its own behind a gateway, with a slash at the end. */
  readonly baseUrl: string;
  /** Whom checkouts are for. Where buyers prove themselves it may be left out. */
  readonly user?: string | undefined;
  /** The buyer's token, where buyers prove themselves; asked for with every request, since it expires. */
  readonly token?: (() => string | undefined) | undefined;
  readonly fetch?: typeof globalThis.fetch | undefined;
}

export interface ItemsQuery {
  /** The active sale when it is left out. */
  readonly sale?: string | undefined;
  /** Only what is not sold. */
  readonly available?: boolean | undefined;
  /** 1 to 1,000; the service's default is 100. */
  readonly limit?: number | undefined;
  /** The last item of the page before. */
  readonly after?: string | undefined;
}

/** A page of items, and the `after` of the next one; undefined on the last. */
export interface ItemsPage {
  readonly items: readonly Item[];
  readonly next: string | undefined;
}

export interface CheckoutOptions extends CallOptions {
  readonly sale?: string | undefined;
  /** How many units the cart shall hold of it, 1 by default; 0 takes it out. */
  readonly quantity?: number | undefined;
  readonly user?: string | undefined;
  /** Of the sale's queue, where it has one. */
  readonly ticket?: string | undefined;
}

/** A service as a buyer's program sees it. Every call may throw a Refusal; each is retried while it is worth it. */
export interface Shop {
  /** The active sale; undefined when there is none. */
  activeSale(options?: CallOptions): Promise<Sale | undefined>;
  /** The sale that begins next; undefined when none is planned. */
  nextSale(options?: CallOptions): Promise<Sale | undefined>;
  sale(id: string, options?: CallOptions): Promise<SaleWithLimit>;
  items(query?: ItemsQuery, options?: CallOptions): Promise<ItemsPage>;
  /** Every item, page by page. */
  allItems(query?: ItemsQuery, options?: CallOptions): AsyncGenerator<readonly Item[]>;
  /** Puts an item into the user's cart, or sets how many units of it are there. Nothing is reserved. */
  checkout(item: string, options?: CheckoutOptions): Promise<Cart>;
  cart(code: string, options?: CallOptions): Promise<CartView>;
  /** Buys a cart: see `buy`. */
  buy(code: string, options?: CallOptions): Promise<Receipt>;
  /** What was decided about a code, for ever; undefined when nothing was. */
  receipt(code: string, options?: CallOptions): Promise<OwnPurchase | undefined>;
  /** A place in the queue of a sale, of the active one or the next without an id: see `joinQueue`. */
  joinQueue(sale?: string, options?: CallOptions): Promise<Turn>;
  /** Waits until it is the buyer's turn: see `waitForTurn`. */
  waitForTurn(ticket: string, options?: WaitOptions): Promise<Turn>;
  /** What happens in a sale: see `live`. */
  live(sale: string, options?: FollowOptions): AsyncGenerator<LiveMessage>;
  /** The service's clock, in milliseconds since 1970, to a fraction of a second after a few answers. */
  now(): number;
}

export function createShop(options: ShopOptions): Shop {
  const clock = createClock();
  const deps: SendDeps = {
    baseUrl: options.baseUrl,
    fetch: options.fetch ?? ((url, init) => fetch(url, init)),
    clock,
    token: options.token ?? (() => undefined),
  };
  const send = createSend(deps);
  return {
    ...reading(send),
    async checkout(item, { sale, quantity = 1, user = options.user, ticket, ...call } = {}) {
      // With a quantity a checkout says how the cart shall be, so that a repeat changes nothing.
      const query = { user_id: user, id: item, sale_id: sale, quantity, ticket };
      return (await send<Cart>({ ...call, method: 'POST', path: 'checkout', query })).body;
    },
    cart: async (code, call) => (await send<CartView>({ ...call, path: `carts/${code}` })).body,
    buy: (code, call) => buy(send, code, call),
    receipt: (code, call) =>
      unlessNone('checkout_not_found', send<OwnPurchase>({ ...call, path: `purchases/${code}` })),
    joinQueue: (sale, call) => joinQueue(send, sale, options.user, call),
    waitForTurn: (ticket, more) => waitForTurn(deps, send, ticket, more),
    live: (sale, more) => live(deps, sale, more),
    now: clock.now,
  };
}

function reading(send: Send): Pick<Shop, 'activeSale' | 'nextSale' | 'sale' | 'items' | 'allItems'> {
  const items: Shop['items'] = async ({ sale = 'active', ...query } = {}, call = {}) => {
    const { headers, body } = await send<Item[]>({
      ...call,
      path: `sales/${sale}/items`,
      query: { ...query, available: query.available || undefined },
    });
    return { items: body, next: nextIn(headers.get('Link')) };
  };
  return {
    activeSale: (call) => unlessNone('sale_not_found', send<Sale>({ ...call, path: 'sales/active' })),
    async nextSale(call) {
      const query = { status: 'scheduled', limit: 1_000 };
      const { body } = await send<Sale[]>({ ...call, path: 'sales', query });
      // Newest first: the next one stands last.
      return [...body].sort((a, b) => a.started_at.localeCompare(b.started_at))[0];
    },
    sale: async (id, call) => (await send<SaleWithLimit>({ ...call, path: `sales/${id}` })).body,
    items,
    async *allItems({ after, ...query } = {}, call = {}) {
      for (let last = after; ; ) {
        const page = await items({ limit: 1_000, ...query, after: last }, call);
        yield page.items;
        if (page.next === undefined) return;
        last = page.next;
      }
    },
  };
}

/** The `after` of the next page, from `<…>; rel="next"`. */
function nextIn(link: string | null): string | undefined {
  const target = /<([^>]*)>\s*;\s*rel="?next"?/.exec(link ?? '')?.[1];
  if (target === undefined) return undefined;
  return new URL(target, 'http://any').searchParams.get('after') ?? undefined;
}

async function unlessNone<T>(
  code: Refusal['code'],
  asking: Promise<{ readonly body: T }>,
): Promise<T | undefined> {
  try {
    return (await asking).body;
  } catch (error) {
    if (error instanceof Refusal && error.code === code) return undefined;
    throw error;
  }
}
