import { tagOf } from '../http/etag.ts';
import { pageOf } from '../http/paging.ts';
import type { ItemPage, ItemView } from '../store/items.ts';

/** A page of a sale's items, ready to be sent. */
export interface ShelfPage {
  /** JSON, and its ETag. */
  readonly body: string;
  readonly tag: string;
  /** The last item of the page when there is a next one. */
  readonly next: string | undefined;
  readonly isEmpty: boolean;
}

/** Buyers poll what is left; a page this old, in ms, is as new as they can tell. */
const AGE_MAX_MS = 1_000;
/** JSON of the pages that a worker keeps: a hundred of the largest. Past it the oldest go. */
const KEPT_BYTES_MAX = 16 << 20;

interface Kept {
  readonly page: Promise<ShelfPage>;
  readonly loadedAtMs: number;
  size: number;
}

/**
 * Answers pages of items from memory: each is read from Postgres once a second at most, however many ask for it. `list` reads
 * rows, one more than the page has when there is a next page. A page is never older than a second: its age counts from before
 * the reading.
 */
export function createShelf(
  list: (page: ItemPage) => Promise<readonly ItemView[]>,
  now: () => number = () => performance.now(),
): (page: ItemPage) => Promise<ShelfPage> {
  const kept = new Map<string, Kept>();
  let size = 0;

  const forget = (key: string, entry: Kept) => {
    if (kept.get(key) !== entry) return;
    kept.delete(key);
    size -= entry.size;
  };

  const load = (key: string, page: ItemPage): Kept => {
    const entry: Kept = { page: readPage(list, page), loadedAtMs: now(), size: 0 };
    kept.set(key, entry);
    entry.page.then(
      ({ body }) => {
        if (kept.get(key) !== entry) return;
        entry.size = Buffer.byteLength(body);
        size += entry.size;
        for (const [oldest, other] of kept) {
          if (size <= KEPT_BYTES_MAX) break;
          forget(oldest, other);
        }
      },
      () => forget(key, entry),
    );
    return entry;
  };

  return (page) => {
    const key = `${page.saleId} ${page.limit} ${page.availableOnly} ${page.after ?? ''}`;
    const known = kept.get(key);
    if (known && now() - known.loadedAtMs < AGE_MAX_MS) return known.page;
    if (known) forget(key, known);
    return load(key, page).page;
  };
}

async function readPage(
  list: (page: ItemPage) => Promise<readonly ItemView[]>,
  page: ItemPage,
): Promise<ShelfPage> {
  const rows = await list({ ...page, limit: page.limit + 1 });
  const { shown, next } = pageOf(rows, page.limit);
  const body = JSON.stringify(shown);
  return { body, tag: tagOf(body), next, isEmpty: shown.length === 0 };
}
