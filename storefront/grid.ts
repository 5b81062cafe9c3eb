import type { Item } from '../client/index.ts';

/** The element of an item, which can be brought up to date. */
export interface Card {
  readonly element: HTMLLIElement;
  update(): void;
}

export interface Grid {
  readonly element: HTMLUListElement;
  /** Other items, or more of them. */
  show(items: readonly Item[], isWhole: boolean): void;
  /** Brings the cards that are there up to date. */
  update(): void;
  close(): void;
}

const GAP = 20;
/** A card is at least this wide, but where a phone shows two beside each other. */
const CARD_MIN = 210;
const TWO_MIN = 280;
/** Rows beyond the edges: a press of Tab finds the next card, and a fast finger few holes. */
const OVERSCAN = 2;
/** Rows before the end of what was read at which more is read. */
const AHEAD = 12;

/**
 * A list of any length of which only the cards on the screen exist. The list has the height of all of them, and each card its place. A card
 * that has the focus stays, wherever the screen is.
 */
export function createGrid(cardOf: (item: Item) => Card, onEnd: () => void): Grid {
  const element = document.createElement('ul');
  element.className = 'grid';
  element.setAttribute('role', 'list');
  const cards = new Map<string, Card>();
  let items: readonly Item[] = [];
  let isWhole = false;
  let layout = { columns: 1, rowHeight: 300 };
  let frame = 0;

  const drop = (isLeft: (id: string, card: Card) => boolean) => {
    for (const [id, card] of cards) {
      if (!isLeft(id, card)) continue;
      card.element.remove();
      cards.delete(id);
    }
  };

  const draw = () => {
    frame = 0;
    const { columns, rowHeight } = layout;
    const rows = Math.ceil(items.length / columns);
    element.style.height = `${rows * rowHeight}px`;
    const top = -element.getBoundingClientRect().top;
    const first = Math.max(0, Math.floor(top / rowHeight) - OVERSCAN);
    const last = Math.min(rows, Math.ceil((top + innerHeight) / rowHeight) + OVERSCAN);
    const wanted = new Set<string>();
    for (let i = first * columns; i < Math.min(items.length, last * columns); i++) {
      const item = items[i] as Item;
      wanted.add(item.id);
      place(item, i);
    }
    drop((id, { element: li }) => !wanted.has(id) && !li.contains(document.activeElement));
    if (!isWhole && last > rows - AHEAD) onEnd();
  };

  const place = (item: Item, i: number) => {
    const card = cards.get(item.id) ?? cardOf(item);
    cards.set(item.id, card);
    const { element: li } = card;
    li.style.setProperty('--x', String(i % layout.columns));
    li.style.setProperty('--y', String(Math.floor(i / layout.columns)));
    li.setAttribute('aria-posinset', String(i + 1));
    li.setAttribute('aria-setsize', isWhole ? String(items.length) : '-1');
    insertAt(element, li, i);
  };

  const soon = () => {
    frame ||= requestAnimationFrame(draw);
  };
  const resized = new ResizeObserver(() => {
    layout = layOut(element) ?? layout;
    soon();
  });
  resized.observe(element);
  addEventListener('scroll', soon, { passive: true });
  addEventListener('resize', soon);

  return {
    element,
    show(next, whole) {
      if (next !== items) {
        // Another list: what stays keeps its card.
        const ids = new Set(next.map(({ id }) => id));
        drop((id) => !ids.has(id));
      }
      items = next;
      isWhole = whole;
      layout = layOut(element) ?? layout;
      draw();
    },
    update() {
      for (const card of cards.values()) card.update();
    },
    close() {
      cancelAnimationFrame(frame);
      resized.disconnect();
      removeEventListener('scroll', soon);
      removeEventListener('resize', soon);
    },
  };
}

/** Height of a card below its picture; style.css gives it the same. */
const INFO_REM = 9.25;

/** How many columns the list has room for, and how high a row is, in pixels; undefined while it is not shown. Tells the style. */
function layOut(element: HTMLElement): { columns: number; rowHeight: number } | undefined {
  const width = element.clientWidth;
  if (width === 0) return undefined;
  const gap = width < 480 ? 12 : GAP;
  const columns = Math.max(width >= TWO_MIN ? 2 : 1, Math.floor((width + gap) / (CARD_MIN + gap)));
  const cardWidth = (width - gap * (columns - 1)) / columns;
  const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
  const height = Math.ceil(cardWidth + rem * INFO_REM);
  element.style.setProperty('--card-width', `${cardWidth}px`);
  element.style.setProperty('--card-height', `${height}px`);
  element.style.setProperty('--step', `${cardWidth + gap}px`);
  element.style.setProperty('--row', `${height + gap}px`);
  return { columns, rowHeight: height + gap };
}

/** Puts an element where the order of the list has it: that is the order of Tab and of screen readers. */
function insertAt(list: HTMLElement, li: HTMLElement, i: number): void {
  if (li.dataset.at === String(i)) return;
  li.dataset.at = String(i);
  // Moving it would take its focus.
  if (li.contains(document.activeElement)) return;
  const next = [...list.children].find((each) => Number((each as HTMLElement).dataset.at) > i);
  list.insertBefore(li, next ?? null);
}
