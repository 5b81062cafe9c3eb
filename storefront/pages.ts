import type { Item, Shop } from '../client/index.ts';

/** The first page is what a phone shows at once; the others are as large as the service gives. */
const FIRST = 60;
const FURTHER = 1_000;

/** The items of a sale in their order, read page by page as somebody looks at them. */
export interface Pages {
  readonly items: readonly Item[];
  readonly isWhole: boolean;
  /** Reads the next page; at most one at a time. */
  more(): Promise<void>;
}

/** @param available only what is not sold */
export function openPages(shop: Shop, sale: string, available: boolean): Pages {
  const items: Item[] = [];
  let after: string | undefined;
  let isWhole = false;
  let reading: Promise<void> | undefined;
  const read = async () => {
    const limit = items.length === 0 ? FIRST : FURTHER;
    const page = await shop.items({ sale, available, limit, after }, { patienceMs: 60_000 });
    items.push(...page.items);
    after = page.next;
    isWhole = after === undefined;
  };
  return {
    items,
    get isWhole() {
      return isWhole;
    },
    more() {
      if (isWhole) return Promise.resolve();
      reading ??= read().finally(() => {
        reading = undefined;
      });
      return reading;
    },
  };
}
