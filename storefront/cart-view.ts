import { Refusal } from '../client/index.ts';
import { pictureOf } from './card.ts';
import type { Cart, Line } from './cart.ts';
import { byId, el, setText } from './dom.ts';
import { countText, priceText } from './format.ts';
import { sentenceFor } from './words.ts';

export interface CartViewDeps {
  readonly cart: () => Cart | undefined;
  readonly currency: () => string | undefined;
  /** Whether so many units are left, as far as is known. */
  readonly hasLeft: (line: Line) => boolean;
  readonly isOpen: () => boolean;
  /** Buys it; resolves when the outcome is known or nothing was decided. */
  readonly buy: (onSay: (sentence: string) => void) => Promise<void>;
}

/** The cart as a drawer. */
export interface CartView {
  open(): void;
  close(): void;
  update(): void;
}

export function createCartView(deps: CartViewDeps): CartView {
  const { dialog, list, total, status, buy, close } = createDrawer(() => void start());
  let isBuying = false;
  let shown = '';

  const start = async () => {
    if (isBuying || buy.getAttribute('aria-disabled') === 'true') return;
    isBuying = true;
    setText(status, 'Buying …');
    update();
    await deps
      .buy((sentence) => setText(status, sentence))
      .finally(() => {
        isBuying = false;
        update();
      });
  };

  const change = async (line: Line, quantity: number) => {
    try {
      await deps.cart()?.set(line, quantity);
    } catch (error) {
      setText(status, sentenceFor(error));
      if (!(error instanceof Refusal)) throw error;
    }
  };

  const draw = (lines: readonly Line[]) => {
    // What is there stays as it is, and so does the focus.
    const text = JSON.stringify([lines, lines.map(deps.hasLeft)]);
    if (text === shown) return;
    shown = text;
    const focused = (document.activeElement as HTMLElement | null)?.dataset.key;
    list.replaceChildren(...lines.map((line) => lineOf(line, deps, change)));
    if (lines.length === 0)
      list.append(el('li', { class: 'empty' }, 'Nothing yet. Take something that you like.'));
    if (focused === undefined) return;
    (list.querySelector<HTMLElement>(`[data-key="${CSS.escape(focused)}"]`) ?? close).focus();
  };

  const update = () => {
    const lines = deps.cart()?.lines ?? [];
    const units = lines.reduce((sum, { quantity }) => sum + quantity, 0);
    setText(byId('cart-count'), String(units));
    byId('open-cart').setAttribute('aria-label', `Cart, ${countText(units, 'item')}`);
    draw(lines);
    setText(total, totalText(lines.filter(deps.hasLeft), deps.currency()));
    const isOff = lines.length === 0 || isBuying || !deps.isOpen();
    buy.setAttribute('aria-disabled', String(isOff));
    setText(buy, isBuying ? 'Buying …' : deps.isOpen() || lines.length === 0 ? 'Buy now' : 'Not open');
    dialog.classList.toggle('busy', isBuying);
  };

  return {
    open() {
      if (!isBuying) setText(status, '');
      update();
      dialog.showModal();
    },
    close: () => dialog.close(),
    update,
  };
}

/** What can still be had, and what it costs. */
function totalText(lines: readonly Line[], currency: string | undefined): string {
  const units = countText(
    lines.reduce((sum, { quantity }) => sum + quantity, 0),
    'item',
  );
  const priced = lines.filter(({ price }) => price !== undefined);
  const sum = priced.reduce((all, { price = 0, quantity }) => all + price * quantity, 0);
  return priced.length === 0 ? units : `${units} · ${priceText(sum, currency)}`;
}

/** The drawer and its parts, empty. */
function createDrawer(onBuy: () => void) {
  const list = el('ul', { class: 'lines', role: 'list' });
  const total = el('p', { class: 'total' });
  const status = el('p', { class: 'buying-status', role: 'status' });
  const buy = el('button', { type: 'button', class: 'primary', onclick: onBuy }, 'Buy now');
  const close = el(
    'button',
    { type: 'button', class: 'close', 'aria-label': 'Close the cart', onclick: () => dialog.close() },
    '×',
  );
  const dialog = el(
    'dialog',
    { class: 'drawer', 'aria-labelledby': 'cart-title' },
    el('div', { class: 'drawer-head' }, el('h2', { id: 'cart-title' }, 'Your cart'), close),
    list,
    el('div', { class: 'drawer-foot' }, total, status, buy),
  );
  // A press beside the drawer closes it.
  dialog.addEventListener('click', (event) => event.target === dialog && dialog.close());
  document.body.append(dialog);
  return { dialog, list, total, status, buy, close };
}

function lineOf(
  line: Line,
  deps: CartViewDeps,
  change: (line: Line, quantity: number) => Promise<void>,
): HTMLLIElement {
  const { id, name, price, quantity } = line;
  const step = (label: string, sign: string, to: number) =>
    el(
      'button',
      {
        type: 'button',
        class: 'step',
        'aria-label': `${label}: ${name}`,
        'data-key': `${sign}${id}`,
        onclick: () => void change(line, to),
      },
      sign,
    );
  return el(
    'li',
    { class: deps.hasLeft(line) ? 'line' : 'line lost' },
    el('img', { src: pictureOf({ id, image_url: line.image_url ?? '' }), alt: '', width: 64, height: 64 }),
    el(
      'div',
      {},
      el('p', { class: 'name' }, name),
      !deps.hasLeft(line) && el('p', { class: 'note' }, 'Somebody was faster.'),
      price !== undefined && el('p', { class: 'price' }, priceText(price * quantity, deps.currency())),
    ),
    el(
      'div',
      { class: 'steps', role: 'group', 'aria-label': `Quantity of ${name}` },
      step(quantity > 1 ? 'One less' : 'Take out', '−', quantity - 1),
      el('span', { class: 'quantity' }, String(quantity)),
      (line.stock ?? 1) > quantity && step('One more', '+', quantity + 1),
    ),
  );
}
