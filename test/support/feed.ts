/** A feed that is on, and how tests read it. */
import assert from 'node:assert/strict';
import { createCheckouts } from '../../src/store/checkouts.ts';
import { FEED_START, type FeedEvent, type FeedPlace, readEvents } from '../../src/store/feed/read.ts';
import { keysOf } from '../../src/store/keys.ts';
import { openPostgres, type Postgres } from '../../src/store/postgres.ts';
import { createPurchases } from '../../src/store/purchases.ts';
import { atEnd } from './at-end.ts';
import { until } from './processes.ts';
import { openStores, type TestSale } from './stores.ts';

/** Stores whose Postgres tells the feed, as with EVENTS=on; `silent` is one that does not. */
export async function openFeed() {
  const stores = await openStores();
  const { redis, databaseUrl } = stores;
  const postgres = await openPostgres({
    ...{ url: databaseUrl, connectionsMax: 8, patient: false, onError: () => {}, tells: true },
  });
  atEnd(postgres.close);

  /** Follows the feed from a place, in pages of a size. */
  const follow = async (from: FeedPlace, limit = 100): Promise<FeedEvent[]> => {
    const seen: FeedEvent[] = [];
    for (let place = from; ; ) {
      const { events, isFull } = await readEvents(postgres, place, limit);
      assert.ok(events.length <= limit);
      seen.push(...events);
      if (!isFull) return seen;
      place = events.at(-1)!.place;
    }
  };
  const end = async (): Promise<FeedPlace> => (await follow(FEED_START)).at(-1)?.place ?? FEED_START;

  const fill = async (sale: TestSale, userId: string, ...items: number[]): Promise<string> => {
    const checkouts = createCheckouts(redis, () => sale);
    const added = await Promise.all(items.map((n) => checkouts.add({ userId, itemId: sale.itemIds[n]! })));
    return (added[0] as { code: string }).code;
  };
  /** Buys, and waits until nothing of it is under way. */
  const payVia = async (through: Postgres, sale: TestSale, ...codes: string[]): Promise<void> => {
    const purchases = createPurchases({
      ...{ redis, postgres: through, sale: () => sale, onError: assert.ifError, forgetAfterMs: 0 },
    });
    await Promise.all(codes.map((code) => purchases.add(code)));
    await until('it is forgotten', async () => (await redis.command('XLEN', keysOf(sale.id).outbox)) === 0);
  };
  const pay = (sale: TestSale, ...codes: string[]) => payVia(postgres, sale, ...codes);
  return { ...stores, postgres, silent: stores.postgres, follow, end, fill, payVia, pay };
}

export const salesOf = (events: readonly FeedEvent[]) => events.map(({ saleId }) => saleId);
