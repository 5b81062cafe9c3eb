import type { Item } from '../client/index.ts';
import { el, setText } from './dom.ts';
import { numberText, priceText } from './format.ts';
import type { Card } from './grid.ts';

export interface CardDeps {
  readonly currency: string | undefined;
  readonly leftOf: (item: Item) => number;
  readonly isOpen: () => boolean;
  readonly isInCart: (itemId: string) => boolean;
  readonly add: (item: Item) => Promise<void>;
  readonly openCart: () => void;
}

/** Fewer than this are worth a word. */
const FEW = 10;

/** An item on the shelf: its picture, name, price, what is left, and the button that takes it. */
export function createCard(item: Item, deps: CardDeps): Card {
  const left = el('span', { class: 'left' });
  let isAdding = false;
  const button = el('button', {
    type: 'button',
    class: 'take',
    onclick: () => {
      if (deps.isInCart(item.id)) return deps.openCart();
      // Not `disabled`, which would take the focus away from who uses a keyboard.
      if (isAdding || button.getAttribute('aria-disabled') === 'true') return;
      isAdding = true;
      update();
      void deps.add(item).finally(() => {
        isAdding = false;
        update();
      });
    },
  });
  const element = el(
    'li',
    { class: 'card' },
    el('img', { src: pictureOf(item), alt: '', loading: 'lazy', decoding: 'async', width: 400, height: 400 }),
    el(
      'div',
      { class: 'info' },
      el('h3', { class: 'name', id: `name-${item.id}` }, item.name),
      el(
        'p',
        { class: 'facts' },
        item.price !== undefined && el('span', { class: 'price' }, priceText(item.price, deps.currency)),
        left,
      ),
      button,
    ),
  );
  button.setAttribute('aria-describedby', `name-${item.id}`);

  function update(): void {
    const count = deps.leftOf(item);
    const isInCart = deps.isInCart(item.id);
    const isGone = count <= 0;
    element.classList.toggle('gone', isGone);
    element.classList.toggle('mine', isInCart);
    setText(left, leftText(count, item.stock));
    left.classList.toggle('few', !isGone && count < FEW && (item.stock ?? 1) > 1);
    setText(button, isInCart ? 'In your cart' : isGone ? 'Sold' : isAdding ? 'Adding …' : 'Add to cart');
    const isOff = !isInCart && (isGone || isAdding || !deps.isOpen());
    button.setAttribute('aria-disabled', String(isOff));
  }
  update();
  return { element, update };
}

const leftText = (left: number, stock = 1): string => {
  if (left <= 0) return 'Sold';
  if (stock === 1) return 'Only one';
  return `${numberText(left)} left`;
};

/** Its picture if this service has it; of other hosts nothing is loaded, and an item's own drawing takes its place. */
export function pictureOf({ id, image_url }: Pick<Item, 'id' | 'image_url'>): string {
  const isHere = image_url.startsWith('/items/');
  return isHere ? image_url.slice(1) : `items/${encodeURIComponent(id)}/image.svg`;
}
