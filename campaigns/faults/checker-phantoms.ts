import type { Violation } from './checker.ts';
import type { Dump } from './dumps.ts';
import type { Entry } from './history.ts';

/** Which user has begun to buy which item, at each point of a history. */
function createBeginnings(dump: Dump) {
  const catalogue = new Set(dump.items);
  /** user → items ever asked for */
  const wanted = new Map<string, Set<string>>();
  /** user → codes whose posts may still be on their way */
  const posted = new Map<string, Set<string>>();
  /** item → codes that may have been buying it */
  const begun = new Map<string, Set<string>>();
  const of = (map: Map<string, Set<string>>, key: string) => {
    const set = map.get(key) ?? new Set<string>();
    map.set(key, set);
    return set;
  };
  const begin = (item: string, code: string) => {
    if (catalogue.has(item)) of(begun, item).add(code);
  };
  return {
    begun: begun as ReadonlyMap<string, ReadonlySet<string>>,
    read({ type, does, user, item, code }: Entry): void {
      if (does === 'checkout') {
        if (type !== 'invoke') return;
        of(wanted, user).add(item as string);
        // It may be in the cart before the post that is under way arrives.
        for (const each of of(posted, user)) begin(item as string, each);
      } else if (type === 'invoke') {
        of(posted, user).add(code as string);
        for (const each of of(wanted, user)) begin(each, code as string);
      } else if (type !== 'unknown') of(posted, user).delete(code as string);
    },
  };
}

/** No answer says "sold" before a purchase of the item has begun, nor "sold out" before that of all. */
export function checkPhantoms(entries: readonly Entry[], dump: Dump): Violation[] {
  const found: Violation[] = [];
  const phantom = (detail: string) => void found.push({ kind: 'phantom-sold', detail });
  const beginnings = createBeginnings(dump);
  const { begun } = beginnings;
  for (const entry of entries) {
    beginnings.read(entry);
    const { answer, item, code, t } = entry;
    if (answer === 'item_already_sold' && !begun.has(item as string)) {
      phantom(`${item} at ${t}: nobody had begun to buy it`);
    } else if (answer === 'sale_sold_out' && begun.size < dump.total) {
      phantom(`sold out at ${t}: only ${begun.size} had been begun to be bought`);
    }
    for (const [lost, sold] of entry.receipt ?? []) {
      // Its own post counts as the start; another one must have bought the item.
      const byOthers = [...(begun.get(lost) ?? [])].some((other) => other !== code);
      if (!sold && !byOthers) phantom(`${lost}: lost by ${code} to nobody`);
    }
  }
  return found;
}
