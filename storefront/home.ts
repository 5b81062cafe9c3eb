import type { Item, SaleWithLimit, Shop } from '../client/index.ts';
import { Refusal } from '../client/index.ts';
import { createCard } from './card.ts';
import type { Cart } from './cart.ts';
import { createCountdown } from './countdown.ts';
import { el, setText } from './dom.ts';
import { clockText, numberText } from './format.ts';
import type { Card } from './grid.ts';
import type { QueueView } from './queue.ts';
import { type SaleWatch, type State, watchSale } from './sale-watch.ts';
import { createShelf } from './shelf.ts';
import { say } from './toast.ts';
import { sentenceFor } from './words.ts';

export interface HomeDeps {
  readonly main: HTMLElement;
  readonly shop: Shop;
  readonly sale: SaleWithLimit;
  readonly cart: Cart;
  readonly queue: QueueView;
  readonly openCart: () => void;
  /** Something about cart or sale changed. */
  readonly onChange: () => void;
  /** The sale is over. */
  readonly onEnd: () => void;
}

/** The page of one sale: clock, counts, search, goods. */
export interface Home {
  readonly watch: SaleWatch;
  /** The cart changed. */
  update(): void;
  close(): void;
}

/** By so much the page may take the sale for open before it is. */
const CLOCK_MS = 1_500;

export function showHome({ main, shop, sale, cart, queue, openCart, onChange, onEnd }: HomeDeps): Home {
  const watch = watchSale(shop, sale);
  const countdown = createCountdown(shop.now, () => changed());
  const hero = createHero(sale, countdown.element);
  const found = el('p', { class: 'found', role: 'status' });
  const isInCart = (id: string) => cart.lines.some((line) => line.id === id);

  const add = async (item: Item): Promise<void> => {
    const { id, name, image_url, stock, price } = item;
    try {
      await cart.set({ id, name, image_url, stock, price }, 1);
      say(`${name} is in your cart. It is yours when you have bought it.`);
    } catch (error) {
      const code = error instanceof Refusal ? error.code : undefined;
      if (code === 'sale_not_active' && Math.abs(shop.now() - watch.startMs) < CLOCK_MS) {
        // The service's clock is known to a fraction of a second, and somebody has pressed at the first one.
        await new Promise((resolve) => setTimeout(resolve, 200));
        return add(item);
      }
      if (code === 'item_already_sold') watch.isGone(id);
      if (code === 'user_limit_reached')
        say(`You can have ${sale.user_limit} in this sale, and you have them.`);
      else say(sentenceFor(error));
    }
  };
  const cardOf = (item: Item): Card =>
    createCard(item, {
      currency: sale.currency,
      leftOf: watch.leftOf,
      isOpen: () => watch.state === 'active' && queue.isAdmitted,
      isInCart,
      add,
      openCart,
    });
  const shelf = createShelf({ shop, sale: sale.id, cardOf, found, leftOf: watch.leftOf });

  let last: State | undefined;
  const changed = () => {
    const { state } = watch;
    hero.update(watch);
    if (state === 'scheduled') countdown.set('opens in', watch.startMs);
    else if (state === 'active' || state === 'paused') countdown.set('closes in', watch.endMs);
    else countdown.set('', undefined);
    if (last !== undefined && last !== state) {
      if (state === 'active') say(last === 'paused' ? 'The sale goes on.' : 'The sale is open!');
      if (state === 'paused') say('The sale is paused. Your cart stays as it is.');
      if (state === 'ended') onEnd();
    }
    last = state;
    shelf.update();
    onChange();
  };
  const leave = watch.subscribe(changed);

  main.replaceChildren(hero.element, queue.element, shelf.toolbar, found, shelf.element);
  changed();
  shelf.start();
  return {
    watch,
    update: shelf.update,
    close() {
      leave();
      watch.close();
      queue.close();
      countdown.stop();
      shelf.close();
    },
  };
}

function createHero(sale: SaleWithLimit, countdown: HTMLElement) {
  const state = el('p', { class: 'state' });
  const counts = el('p', { class: 'counts' });
  const bar = el('progress', { class: 'meter', max: sale.total_items, 'aria-label': 'Left of all' });
  const element = el(
    'section',
    { class: 'hero' },
    el('div', { class: 'hero-words' }, state, el('h1', {}, sale.name ?? 'The hourly drop'), counts, bar),
    countdown,
  );
  return {
    element,
    update({ state: now, counts: { left }, startMs, endMs }: SaleWatch) {
      setText(state, stateText(now, startMs, endMs, left));
      element.dataset.state = left <= 0 ? 'gone' : now;
      setText(
        counts,
        left <= 0
          ? 'Everything is sold. Thank you for coming!'
          : `${numberText(left)} of ${numberText(sale.total_items)} left`,
      );
      bar.value = Math.max(0, left);
    },
  };
}

function stateText(state: State, startMs: number, endMs: number, left: number): string {
  if (state === 'scheduled') return `Opens at ${clockText(startMs)}`;
  if (state === 'paused') return 'Paused for a moment';
  if (state === 'ended' || state === 'cancelled') return 'This sale is over';
  return left <= 0 ? 'Sold out' : `Open until ${clockText(endMs)}`;
}
