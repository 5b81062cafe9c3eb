import { createShop, type SaleWithLimit } from '../client/index.ts';
import { buyAndStay, underWay } from './buying.ts';
import { type Cart, openCart } from './cart.ts';
import { createCartView } from './cart-view.ts';
import { byId, el } from './dom.ts';
import { type Home, showHome } from './home.ts';
import { buyer } from './keep.ts';
import { createQueueView } from './queue.ts';
import { showReceipt, showReceipts } from './receipt.ts';
import { hush, say } from './toast.ts';
import { sentenceFor } from './words.ts';

/** How often to look for a sale while there is none, and for the next one when one has ended. */
const LOOK_MS = 5_000;

const main = byId('main');
const isDemo = document.documentElement.dataset.demo === 'on';
const shop = createShop({ baseUrl: new URL('.', location.href).href, user: buyer() });
let home: Home | undefined;
let cart: Cart | undefined;
let leavePage = () => {};

const view = createCartView({
  cart: () => cart,
  currency: () => home?.watch.sale.currency,
  hasLeft: ({ id, quantity, stock }) => {
    const item = { id, name: '', image_url: '', sold: false, ...(stock !== undefined && { left: stock }) };
    return home === undefined || home.watch.leftOf(item) >= quantity;
  },
  isOpen: () => home?.watch.state === 'active',
  async buy(onSay) {
    const [bought, code] = [cart, cart?.code];
    if (bought === undefined || code === undefined) return;
    const receipt = await buyAndStay(shop, { code, lines: bought.lines }, onSay);
    if (receipt === undefined) return;
    bought.clear();
    view.close();
    location.hash = `#/receipts/${code}`;
  },
});
byId('open-cart').addEventListener('click', () => view.open());
// Its address would be another page's.
document.querySelector('.skip')?.addEventListener('click', (event) => {
  event.preventDefault();
  main.focus();
});
addEventListener('hashchange', () => void route());
void start();

async function start(): Promise<void> {
  // A purchase that was begun before this page was loaded comes first.
  const cart = underWay();
  if (cart !== undefined) {
    main.replaceChildren(el('p', { class: 'loading' }, 'Making sure what became of your purchase …'));
    if (await buyAndStay(shop, cart, say)) location.hash = `#/receipts/${cart.code}`;
  }
  await route();
}

async function route(): Promise<void> {
  leavePage();
  hush();
  const left = new AbortController();
  leavePage = () => left.abort();
  home?.close();
  home = undefined;
  const [room, id] = location.hash.replace(/^#\//, '').split('/');
  try {
    if (room === 'receipts' && id !== undefined) {
      const leave = showReceipt(main, shop, decodeURIComponent(id), isDemo);
      left.signal.addEventListener('abort', leave);
    } else if (room === 'receipts') showReceipts(main);
    else await showSale(room === 'sales' ? id : undefined, left.signal);
    if (room) main.focus({ preventScroll: true });
    scrollTo(0, 0);
  } catch (error) {
    if (left.signal.aborted) return;
    main.replaceChildren(
      el(
        'section',
        { class: 'sheet' },
        el('h1', {}, 'Not now'),
        el('p', {}, sentenceFor(error)),
        el('p', {}, el('a', { class: 'button', href: '#/' }, 'Back to the goods')),
      ),
    );
  }
}

/** The sale of that id; without one the one that is open, or the next. */
async function showSale(id: string | undefined, signal: AbortSignal): Promise<void> {
  const found = id === undefined ? await nextSale(signal) : await shop.sale(id, { signal });
  signal.throwIfAborted();
  const update = () => {
    view.update();
    home?.update();
  };
  const queue = createQueueView(shop, found, update);
  cart = openCart(shop, found.id, () => queue.ticket, update);
  home = showHome({
    main,
    shop,
    sale: found,
    cart,
    queue,
    openCart: view.open,
    onChange: view.update,
    onEnd: () => void afterEnd(found, signal),
  });
  document.title = `${found.name ?? 'Flash sale'} · ${home.watch.state === 'active' ? 'open now' : 'Flash sale'}`;
  const bought = await cart.compare().catch(() => undefined);
  if (bought !== undefined) location.hash = `#/receipts/${bought}`;
}

async function nextSale(signal: AbortSignal): Promise<SaleWithLimit> {
  for (;;) {
    const sale =
      (await shop.activeSale({ signal, patienceMs: 120_000 })) ?? (await shop.nextSale({ signal }));
    if (sale !== undefined) return shop.sale(sale.id, { signal });
    main.replaceChildren(
      el(
        'section',
        { class: 'sheet' },
        el('h1', {}, 'Nothing is on sale'),
        el('p', {}, 'This page opens the next sale as soon as there is one.'),
      ),
    );
    await pause(signal);
  }
}

/** Goes on to the next sale, when the buyer came to see whatever is on. */
async function afterEnd({ id }: SaleWithLimit, signal: AbortSignal): Promise<void> {
  say('This sale is over.');
  while (location.hash.replace(/^#\/?/, '') === '') {
    await pause(signal);
    const next = (await shop.activeSale({ signal })) ?? (await shop.nextSale({ signal }));
    if (next !== undefined && next.id !== id) return route();
  }
}

const pause = (signal: AbortSignal) =>
  new Promise<void>((resolve, reject) => {
    const timer = setTimeout(resolve, LOOK_MS);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
