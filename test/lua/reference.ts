/** What `lua/checkout.lua`, `lua/purchase.lua` and `lua/shelve.lua` have to do, in the plainest code: every unit is a member of a set. */

export interface Line {
  readonly item: string;
  quantity: number;
}

export interface Cart {
  readonly code: string;
  lines: Line[];
}

export interface Op {
  readonly user: string;
  readonly item: string;
  /** Undefined: not given. */
  readonly quantity: number | undefined;
}

export interface Bought {
  readonly item: string;
  readonly quantity: number;
  /** Empty when the line is lost. */
  readonly units: readonly number[];
}

export class Reference {
  /** The units for sale, by item. */
  readonly shelf: Map<string, Set<number>>;
  readonly carts = new Map<string, Cart>();
  readonly bought = new Map<string, number>();
  readonly limit: number;

  constructor(shelf: ReadonlyMap<string, readonly number[]>, limit: number) {
    this.shelf = new Map([...shelf].map(([item, units]) => [item, new Set(units)]));
    this.limit = limit;
  }

  left(item: string): number {
    return this.shelf.get(item)?.size ?? 0;
  }

  get isSoldOut(): boolean {
    return [...this.shelf.values()].every((units) => units.size === 0);
  }

  /** The outcome of one checkout, and the lines of the cart. `code` is the code of a new cart. */
  checkOut({ user, item, quantity }: Op, code: string): { outcome: string; lines: number } {
    const cart = this.carts.get(user);
    const lines = cart?.lines.length ?? 0;
    const wanted = quantity ?? 1;
    const line = cart?.lines.find((each) => each.item === item);
    if (wanted > 0 && this.isSoldOut) return { outcome: 'sold-out', lines };
    if (!this.shelf.has(item)) return { outcome: 'no-item', lines };
    if (this.left(item) < wanted) return { outcome: 'item-sold', lines };
    if (line !== undefined && quantity === undefined) return { outcome: 'already-in-cart', lines };
    const others = (cart?.lines ?? []).filter(
      (each) => each !== line && this.left(each.item) >= each.quantity,
    );
    const live = others.reduce((sum, each) => sum + each.quantity, 0);
    if (wanted > 0 && live + wanted + (this.bought.get(user) ?? 0) > this.limit)
      return { outcome: 'limit', lines };
    const kept = cart ?? { code, lines: [] };
    this.carts.set(user, kept);
    if (line !== undefined && wanted > 0) line.quantity = wanted;
    else if (line !== undefined) kept.lines = kept.lines.filter((each) => each !== line);
    else if (wanted > 0) kept.lines.push({ item, quantity: wanted });
    return { outcome: 'added', lines: kept.lines.length };
  }

  /** Units that a user gives back; they are on the shelf again if they are restocked. */
  giveBack(user: string, item: string, units: readonly number[], restocked: boolean): void {
    const holds = (this.bought.get(user) ?? 0) - units.length;
    if (holds > 0) this.bought.set(user, holds);
    else this.bought.delete(user);
    if (restocked) for (const unit of units) this.shelf.get(item)?.add(unit);
  }

  /**
   * Whether a code is bought now, and what its lines must be. Which units are handed out is the script's choice, so they are
   * taken from what it has chosen: each must be on the shelf.
   */
  buy(code: string, unitsOf: (line: number) => readonly number[]): Bought[] | 'no-code' | 'limit' {
    const [user, cart] = [...this.carts].find(([, each]) => each.code === code) ?? [];
    if (user === undefined || cart === undefined || cart.lines.length === 0) return 'no-code';
    let held = this.bought.get(user) ?? 0;
    if (held >= this.limit) return 'limit';
    this.carts.delete(user);
    const lines = cart.lines.map(({ item, quantity }, i): Bought => {
      if (this.left(item) < quantity || held + quantity > this.limit) return { item, quantity, units: [] };
      held += quantity;
      const units = unitsOf(i);
      for (const unit of units)
        if (!this.shelf.get(item)?.delete(unit)) throw new Error(`unit ${unit} of ${item} is not for sale`);
      return { item, quantity, units };
    });
    if (held > 0) this.bought.set(user, held);
    return lines;
  }
}
