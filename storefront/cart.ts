import { Refusal, type Shop } from '../client/index.ts';
import { forget, keep, kept } from './keep.ts';

/** What the page shows of an item in the cart. */
export interface Line {
  readonly id: string;
  readonly name: string;
  readonly image_url?: string | undefined;
  /** Units of the item, when it has more than one. */
  readonly stock?: number | undefined;
  readonly price?: number | undefined;
  readonly quantity: number;
}

export type Wanted = Omit<Line, 'quantity'>;

interface Kept {
  readonly code: string;
  readonly lines: readonly Line[];
}

/** The buyer's cart of one sale: the service's, with names and prices for the page. */
export interface Cart {
  readonly lines: readonly Line[];
  /** Undefined while nothing is in it. */
  readonly code: string | undefined;
  /** Sets how many units of an item are in it; 0 takes it out. Throws as `Shop.checkout` does. */
  set(item: Wanted, quantity: number): Promise<void>;
  /** Compares it with the service's; resolves with the code when that was bought meanwhile, on another page. */
  compare(): Promise<string | undefined>;
  clear(): void;
}

export function openCart(
  shop: Shop,
  sale: string,
  ticket: () => string | undefined,
  onChange: () => void,
): Cart {
  const name = `cart.${sale}`;
  let state = kept<Kept>(name);
  const put = (next: Kept | undefined) => {
    state = next;
    if (next === undefined) forget(name);
    else keep(name, next);
    onChange();
  };
  return {
    get lines() {
      return state?.lines ?? [];
    },
    get code() {
      return state && state.lines.length > 0 ? state.code : undefined;
    },
    async set(item, quantity) {
      const { code } = await shop.checkout(item.id, { sale, quantity, ticket: ticket() });
      const before = state?.lines ?? [];
      const line = { ...item, quantity };
      const isThere = before.some(({ id }) => id === item.id);
      const lines = isThere ? before.map((each) => (each.id === item.id ? line : each)) : [...before, line];
      put({ code, lines: lines.filter((each) => each.quantity > 0) });
    },
    async compare() {
      const code = state?.code;
      if (code === undefined) return undefined;
      try {
        const { items } = await shop.cart(code);
        const known = new Map(state?.lines.map((line) => [line.id, line]));
        const lines = items.map(({ id, name: called, quantity = 1 }) => ({
          ...(known.get(id) ?? { id, name: called }),
          quantity,
        }));
        put({ code, lines });
        return undefined;
      } catch (error) {
        if (!(error instanceof Refusal) || error.code !== 'checkout_not_found') throw error;
        const bought = await shop.receipt(code);
        put(undefined);
        return bought && code;
      }
    },
    clear: () => put(undefined),
  };
}
