import type { LiveSale } from '../sale.ts';
import { findPosition, type ItemView, listUnsold } from '../store/items.ts';
import type { Postgres } from '../store/postgres.ts';

/** Positions of one stretch: searched in less than a millisecond. */
const LENGTH = 100;
/** Stretches of one query: 6,400 positions, some 10 ms of Postgres. */
const STRETCHES_MAX = 64;

interface Known {
  /** A rebuild may follow a Postgres that came back older: then what was sold out may not be. */
  readonly epoch: number;
  readonly unlearned: number;
  /** One per stretch: 1 when every item of it was sold. 10 kB for a million items. */
  readonly soldOut: Uint8Array;
}

/** At most `limit` unsold items behind `after`, in their order. Throws as `Postgres.query` does. */
export type FindUnsold = (
  sale: LiveSale,
  after: string | undefined,
  limit: number,
) => Promise<readonly ItemView[]>;

/**
 * Finds what is left of live sales. Stretches that were found sold out are not searched again, so that the cost does not grow with
 * what is sold: with 10 of 10,000 items left, at most ten stretches are searched.
 *
 * @param live every live sale: of others nothing is remembered
 * @param unlearned a number that changes whenever items of a sale may have come back
 */
export function createUnsold(
  postgres: Postgres,
  live: () => readonly LiveSale[],
  unlearned: (saleId: string) => number,
): FindUnsold {
  const sales = new Map<string, Known>();

  const knownOf = ({ id, total, epoch }: LiveSale): Known => {
    const before = sales.get(id);
    const now = unlearned(id);
    if (before?.epoch === epoch && before.unlearned === now) return before;
    const isLive = new Set(live().map((sale) => sale.id));
    for (const other of sales.keys()) if (!isLive.has(other)) sales.delete(other);
    const known = { epoch, unlearned: now, soldOut: new Uint8Array(Math.ceil(total / LENGTH)) };
    sales.set(id, known);
    return known;
  };

  return async (sale, after, limit) => {
    const { soldOut } = knownOf(sale);
    const position = after === undefined ? -1 : await findPosition(postgres, sale.id, after);
    if (position === undefined) return [];
    const found: ItemView[] = [];
    let next = Math.max(0, Math.floor(position / LENGTH));
    // As many as the page needs when nothing is sold, and twice as many each time.
    for (let count = Math.ceil(limit / LENGTH); found.length < limit; count *= 2) {
      const starts: number[] = [];
      for (; next < soldOut.length && starts.length < Math.min(count, STRETCHES_MAX); next++)
        if (soldOut[next] === 0) starts.push(next * LENGTH);
      if (starts.length === 0) break;
      const rows = await listUnsold(postgres, sale.id, { starts, length: LENGTH }, position, limit);
      const left = new Set(rows.map(({ start }) => start));
      for (const start of starts) if (start > position && !left.has(start)) soldOut[start / LENGTH] = 1;
      found.push(...rows.map(({ start: _, ...item }) => item));
    }
    return found.slice(0, limit);
  };
}
