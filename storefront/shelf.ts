import type { Item, Shop } from '../client/index.ts';
import { el, setText } from './dom.ts';
import { numberText } from './format.ts';
import { type Card, createGrid } from './grid.ts';
import { openPages, type Pages } from './pages.ts';
import { say } from './toast.ts';
import { sentenceFor } from './words.ts';

interface ShelfDeps {
  readonly shop: Shop;
  readonly sale: string;
  readonly cardOf: (item: Item) => Card;
  readonly found: HTMLElement;
  readonly leftOf: (item: Item) => number;
}

/** The goods, with a search and a switch for what is left. */
export function createShelf({ shop, sale, cardOf, found, leftOf }: ShelfDeps) {
  const search = el('input', {
    type: 'search',
    id: 'search',
    placeholder: 'Search the goods',
    autocomplete: 'off',
    'aria-label': 'Search the goods',
    oninput: () => show(),
  });
  const only = el('input', { type: 'checkbox', id: 'only-left', onchange: () => show() });
  const toolbar = el(
    'div',
    { class: 'toolbar', role: 'search' },
    search,
    el('label', { class: 'switch', for: 'only-left' }, only, el('span', {}, 'Only what is left')),
  );
  const title = el('h2', { class: 'unseen' }, 'The goods');
  const all = openPages(shop, sale, false);
  let left: Pages | undefined;
  const pages = () => {
    if (!only.checked) return all;
    left ??= openPages(shop, sale, true);
    return left;
  };
  let isClosed = false;
  /** What did not match before need not be looked at again. */
  let matches: Item[] = [];
  let matched = { words: '', only: false, count: 0 };

  const more = async () => {
    try {
      await pages().more();
    } catch (error) {
      say(sentenceFor(error));
      return;
    }
    if (!isClosed) show();
  };
  const grid = createGrid(cardOf, () => void more());

  function show(): void {
    const { items, isWhole } = pages();
    const words = search.value.trim().toLowerCase();
    if (words === '' && !only.checked) {
      setText(found, isWhole && items.length === 0 ? 'There is nothing here.' : '');
      grid.show(items, isWhole);
      return;
    }
    if (matched.words !== words || matched.only !== only.checked || matched.count > items.length) {
      matches = [];
      matched = { words, only: only.checked, count: 0 };
    }
    const parts = words.split(/\s+/);
    for (const item of items.slice(matched.count))
      if (
        parts.every((part) => item.name.toLowerCase().includes(part)) &&
        (!only.checked || leftOf(item) > 0)
      )
        matches.push(item);
    matched.count = items.length;
    setText(found, foundText(matches.length, isWhole, words !== ''));
    grid.show(matches, isWhole);
  }

  return {
    toolbar,
    element: el('section', { class: 'shelf' }, title, grid.element),
    start: () => void more(),
    update: grid.update,
    close() {
      isClosed = true;
      grid.close();
    },
  };
}

function foundText(count: number, isWhole: boolean, searches: boolean): string {
  if (!isWhole) return searches ? 'Looking …' : '';
  if (count === 0) return searches ? 'Nothing is called so.' : 'Everything is sold.';
  return searches ? `${numberText(count)} found` : '';
}
