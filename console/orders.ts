import type { SaleWithLimit } from '../client/index.ts';
import { el, setText } from '../storefront/dom.ts';
import { countText, momentText } from '../storefront/format.ts';
import { ask, sentenceOf } from './api.ts';
import { act } from './confirm.ts';

interface Order {
  readonly code: string;
  readonly user_id: string;
  readonly purchased_at: string;
  readonly state: string;
  readonly purchased_items: readonly {
    readonly id: string;
    readonly name: string;
    readonly sold: boolean;
    readonly quantity?: number;
  }[];
  readonly payment?: { readonly state: string; readonly due_at: string };
}

const SHOWN = 50;

/** Orders of a sale: found by buyer, code or item; read, confirmed, exported. */
export interface OrdersView {
  readonly element: HTMLElement;
  /** The sales that there are. */
  setSales(sales: readonly SaleWithLimit[]): void;
}

export function createOrdersView(): OrdersView {
  const sale = el('select', { id: 'order-sale', onchange: () => void load() });
  const by = el(
    'select',
    { id: 'order-by' },
    [
      ['user_id', 'Buyer'],
      ['code', 'Code'],
      ['item_id', 'Item'],
    ].map(([value = '', label = '']) => el('option', { value }, label)),
  );
  const words = el('input', { type: 'search', id: 'order-words', autocomplete: 'off' });
  const found = el('p', { class: 'note', role: 'status' });
  const list = el('ul', { class: 'orders', role: 'list' });
  const label = (text: string, input: HTMLElement) =>
    el('label', { for: input.id }, el('span', {}, text), input);

  const load = async (event?: Event) => {
    event?.preventDefault();
    if (sale.value === '') return;
    const query = new URLSearchParams({
      limit: String(SHOWN),
      ...(words.value.trim() && { [by.value]: words.value.trim() }),
    });
    try {
      const orders = await ask<Order[]>('GET', `admin/sales/${sale.value}/purchases?${query}`);
      setText(found, orders.length === SHOWN ? `The first ${SHOWN}` : countText(orders.length, 'order'));
      list.replaceChildren(...orders.map((order) => orderOf(order, load)));
    } catch (error) {
      setText(found, sentenceOf(error));
      list.replaceChildren();
    }
  };
  const download = async () => {
    try {
      const text = await ask<string>('GET', `admin/sales/${sale.value}/purchases`, undefined, {
        Accept: 'text/csv',
      });
      const url = URL.createObjectURL(new Blob([text], { type: 'text/csv' }));
      el('a', { href: url, download: `${sale.value}.csv` }).click();
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
    } catch (error) {
      setText(found, sentenceOf(error));
    }
  };
  const element = el(
    'section',
    { class: 'panel', 'aria-labelledby': 'orders-title' },
    el('h2', { id: 'orders-title' }, 'Orders'),
    el(
      'form',
      { class: 'fields', onsubmit: (event) => void load(event) },
      label('Sale', sale),
      label('By', by),
      label('Is', words),
      el('button', { type: 'submit', class: 'plain' }, 'Find'),
      el('button', { type: 'button', class: 'plain', onclick: () => void download() }, 'Export as CSV'),
    ),
    found,
    list,
  );
  let known = '';
  return {
    element,
    setSales(sales) {
      const ids = sales.map(({ id }) => id);
      if (ids.join() === known) return;
      known = ids.join();
      const before = sale.value;
      sale.replaceChildren(...sales.map(({ id, state }) => el('option', { value: id }, `${id} (${state})`)));
      const first = sales.find(({ state }) => state === 'active' || state === 'paused') ?? sales[0];
      sale.value = ids.includes(before) ? before : (first?.id ?? '');
    },
  };
}

function orderOf(order: Order, again: () => Promise<void>): HTMLLIElement {
  const { code, user_id: user, purchased_at: at, state, purchased_items: lines, payment } = order;
  const button = (label: string, question: string, path: string, done: string) =>
    el(
      'button',
      {
        type: 'button',
        class: 'plain',
        onclick: () =>
          void act(question, label, async () => {
            await ask('POST', `admin/purchases/${code}/${path}`, path === 'cancel' ? {} : undefined);
            await again();
            return `${code} ${done}`;
          }),
      },
      label,
    );
  return el(
    'li',
    {},
    el(
      'details',
      {},
      el(
        'summary',
        {},
        el('span', { class: `pill ${state}` }, state),
        ' ',
        el('strong', {}, user),
        ' ',
        countText(lines.filter(({ sold }) => sold).length, 'line'),
        ' ',
        el('span', { class: 'note' }, momentText(Date.parse(at))),
      ),
      el('p', {}, el('a', { href: `./#/receipts/${code}` }, code)),
      el(
        'ul',
        { class: 'order-lines' },
        lines.map(({ id, name, sold, quantity = 1 }) =>
          el(
            'li',
            { class: sold ? '' : 'lost' },
            `${name} (${id})${quantity > 1 ? ` × ${quantity}` : ''}${sold ? '' : ': lost to somebody else'}`,
          ),
        ),
      ),
      payment?.state === 'pending' &&
        el('p', {}, `Payment awaited until ${momentText(Date.parse(payment.due_at))}`),
      el(
        'div',
        { class: 'actions' },
        state === 'pending' && button('Confirm', `Confirm that ${code} is paid?`, 'confirm', 'is paid.'),
        state === 'pending' &&
          button('Release', `Release ${code}? Its units go back on the shelf.`, 'release', 'is released.'),
        ['final', 'confirmed', 'partly_cancelled'].includes(state) &&
          button(
            'Cancel',
            `Cancel all of ${code}? Its units go back on the shelf.`,
            'cancel',
            'is cancelled.',
          ),
      ),
    ),
  );
}
