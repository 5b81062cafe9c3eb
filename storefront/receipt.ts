import type { OwnPurchase, Receipt, Shop } from '../client/index.ts';
import { pictureOf } from './card.ts';
import { el } from './dom.ts';
import { countText, momentText, spanText } from './format.ts';
import { receipts } from './keep.ts';
import { sentenceFor } from './words.ts';

const LOOK_MS = 2_000;

/** The page of a receipt: what was bought, and kindly what was not. Follows a payment until it is settled. */
export function showReceipt(main: HTMLElement, shop: Shop, code: string, isDemo: boolean): () => void {
  const leave = new AbortController();
  let shown: string | undefined = 'nothing yet';
  const follow = async () => {
    for (;;) {
      const receipt = await shop.receipt(code, { signal: leave.signal, patienceMs: 60_000 });
      const text = JSON.stringify(receipt);
      // What is there stays as it is, and so does the focus.
      if (text !== shown) main.replaceChildren(receipt ? view(receipt, code, shop, isDemo) : nothing());
      shown = text;
      if (receipt?.payment?.state !== 'pending') return;
      const ticking = setInterval(() => tick(main, receipt, shop), 200);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      clearInterval(ticking);
      leave.signal.throwIfAborted();
    }
  };
  follow().catch((error) => {
    if (!leave.signal.aborted)
      main.replaceChildren(
        el('section', { class: 'sheet' }, el('h1', {}, 'Not now'), el('p', {}, sentenceFor(error))),
      );
  });
  return () => leave.abort();
}

const nothing = () =>
  el(
    'section',
    { class: 'sheet' },
    el('h1', {}, 'No such purchase'),
    el('p', {}, 'Nothing was bought with this code, or not yet.'),
    el('p', {}, el('a', { href: '#/' }, 'Back to the goods')),
  );

function view(receipt: OwnPurchase, code: string, shop: Shop, isDemo: boolean): HTMLElement {
  const bought = receipt.purchased_items.filter(({ sold }) => sold);
  const lost = receipt.purchased_items.filter(({ sold }) => !sold);
  const own = receipts().find((each) => each.code === code)?.lines ?? [];
  const pictures = new Map(own.map(({ id, image_url }) => [id, image_url]));
  return el(
    'section',
    { class: 'sheet receipt' },
    el('h1', {}, headline(receipt, bought.length, lost.length)),
    el('p', { class: 'when' }, momentText(Date.parse(receipt.purchased_at))),
    payment(receipt, code, shop, isDemo),
    bought.length > 0 && el('h2', {}, STANDING[receipt.state] ?? 'Yours'),
    bought.length > 0 && lines(bought, 'yours', pictures),
    lost.length > 0 && el('h2', {}, 'Somebody was faster'),
    lost.length > 0 &&
      el(
        'p',
        { class: 'note' },
        `${lost.length === 1 ? 'This one was' : 'These were'} sold before you pressed the button. Nothing is charged for ${lost.length === 1 ? 'it' : 'them'}.`,
      ),
    lost.length > 0 && lines(lost, 'lost', pictures),
    el('p', { class: 'code' }, 'Your code ', el('code', {}, code)),
    el(
      'p',
      { class: 'note' },
      'Keep this page’s address: whoever has it can read this receipt, now and in a year.',
    ),
    el('p', {}, el('a', { class: 'button', href: `#/sales/${receipt.sale_id}` }, 'Back to the goods')),
  );
}

/** What is said of bought lines in these states; in others they are the buyer's. */
const STANDING: Readonly<Record<string, string | undefined>> = {
  pending: 'Held for you',
  released: 'No longer held',
  cancelled: 'Cancelled',
};

function headline({ state }: OwnPurchase, bought: number, lost: number): string {
  if (bought === 0) return 'That was close';
  if (state === 'pending') return 'Held for you';
  if (state === 'released') return 'Back on the shelf';
  if (state === 'cancelled') return 'Cancelled';
  return lost === 0 ? 'It is yours' : `${countText(bought, 'item')} ${bought === 1 ? 'is' : 'are'} yours`;
}

const lines = (
  items: Receipt['purchased_items'],
  kind: string,
  pictures: ReadonlyMap<string, string | undefined>,
) =>
  el(
    'ul',
    { class: `lines ${kind}`, role: 'list' },
    items.map(({ id, name, quantity }) => {
      return el(
        'li',
        { class: 'line' },
        el('img', {
          src: pictureOf({ id, image_url: pictures.get(id) ?? '' }),
          alt: '',
          width: 64,
          height: 64,
        }),
        el('p', { class: 'name' }, name, (quantity ?? 1) > 1 && ` × ${quantity}`),
      );
    }),
  );

function payment(
  { payment: due }: OwnPurchase,
  code: string,
  shop: Shop,
  isDemo: boolean,
): HTMLElement | false {
  if (due?.state !== 'pending') return false;
  const clock = el('span', { class: 'due' }, spanText(Date.parse(due.due_at) - shop.now()));
  const pay = el(
    'button',
    {
      type: 'button',
      class: 'primary',
      onclick: () => void fetch(`admin/purchases/${code}/confirm`, { method: 'POST' }),
    },
    'Pay (demo)',
  );
  return el(
    'div',
    { class: 'payment' },
    el('p', {}, 'Waiting for your payment: ', clock, ' left.'),
    isDemo && pay,
  );
}

function tick(main: HTMLElement, { payment: due }: OwnPurchase, shop: Shop): void {
  const clock = main.querySelector('.due');
  if (clock && due) clock.textContent = spanText(Date.parse(due.due_at) - shop.now());
}

/** The page of all purchases that were made on this browser. */
export function showReceipts(main: HTMLElement): void {
  const codes = receipts();
  main.replaceChildren(
    el(
      'section',
      { class: 'sheet' },
      el('h1', {}, 'Your purchases'),
      codes.length === 0 && el('p', {}, 'Nothing was bought on this browser yet.'),
      el(
        'ul',
        { class: 'codes', role: 'list' },
        codes.map(({ code }) => el('li', {}, el('a', { href: `#/receipts/${code}` }, code))),
      ),
      el('p', {}, el('a', { class: 'button', href: '#/' }, 'Back to the goods')),
    ),
  );
}
