import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createShelf } from '../../src/selling/shelf.ts';
import type { ItemPage } from '../../src/store/items.ts';

const PAGE: ItemPage = { saleId: 'S-0000000000', limit: 2, availableOnly: false };

/** A shelf over 100 items, a clock that is set by hand, and what was asked of the store. */
function createTestShelf(nameLength = 4) {
  const asked: ItemPage[] = [];
  const state = { nowMs: 0, isAway: false };
  const list = async (page: ItemPage) => {
    asked.push(page);
    await null;
    if (state.isAway) throw new Error('away');
    const from = page.after === undefined ? 0 : Number(page.after) + 1;
    return Array.from({ length: Math.min(page.limit, 100 - from) }, (_, i) => ({
      id: String(from + i),
      name: 'x'.repeat(nameLength),
      image_url: '',
      sold: false,
    }));
  };
  return { asked, state, shelf: createShelf(list, () => state.nowMs) };
}

test('a page is read once a second, however many ask for it, and each page for itself', async () => {
  const { asked, state, shelf } = createTestShelf();
  const ask = (page: Partial<ItemPage> = {}) => shelf({ ...PAGE, ...page });
  const pages = await Promise.all(Array.from({ length: 50 }, () => ask()));
  assert.equal(new Set(pages).size, 1);
  state.nowMs = 999;
  await ask();
  assert.equal(asked.length, 1);
  state.nowMs = 1_000;
  await ask();
  assert.equal(asked.length, 2);
  await Promise.all([
    ask({ limit: 3 }),
    ask({ after: '1' }),
    ask({ availableOnly: true }),
    ask({ saleId: 'S-1' }),
  ]);
  assert.equal(asked.length, 6);
});

test('its age counts from before the reading: what was sold meanwhile is shown a second later', async () => {
  const { asked, state, shelf } = createTestShelf();
  const first = shelf(PAGE);
  state.nowMs = 900;
  await first;
  state.nowMs = 1_001;
  await shelf(PAGE);
  assert.equal(asked.length, 2);
});

test('a page has its rows, and knows whether there is a next one', async () => {
  const { shelf } = createTestShelf();
  const { body, next, isEmpty } = await shelf(PAGE);
  assert.deepEqual([JSON.parse(body).length, next, isEmpty], [2, '1', false]);
  assert.equal((await shelf({ ...PAGE, after: '97' })).next, undefined);
  assert.equal((await shelf({ ...PAGE, after: '99' })).isEmpty, true);
});

test('a store that is away is asked again by the next, and nothing is kept of it', async () => {
  const { asked, state, shelf } = createTestShelf();
  state.isAway = true;
  await assert.rejects(shelf(PAGE), /away/);
  await assert.rejects(shelf(PAGE), /away/);
  state.isAway = false;
  assert.equal((await shelf(PAGE)).isEmpty, false);
  assert.equal(asked.length, 3);
});

test('what is kept is bounded: the oldest pages go', async () => {
  const { asked, shelf } = createTestShelf(1 << 20);
  // 20 pages of a MiB each.
  for (let i = 0; i < 20; i++) await shelf({ ...PAGE, limit: 1, after: String(i) });
  await shelf({ ...PAGE, limit: 1, after: '19' });
  assert.equal(asked.length, 20, 'the newest is kept');
  await shelf({ ...PAGE, limit: 1, after: '0' });
  assert.equal(asked.length, 21, 'the oldest is not');
});
