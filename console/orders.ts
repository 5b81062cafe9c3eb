import type { SaleWithLimit } from '../client/index.ts';
import { el, setText } from '../storefront/dom.ts';
import { countText } from '../storefront/format.ts';
import { ask, sentenceOf } from './api.ts';
import { type Order, orderOf } from './order.ts';

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
      const [orders, { currency }] = await Promise.all([
        ask<Order[]>('GET', `admin/sales/${sale.value}/purchases?${query}`),
        ask<SaleWithLimit>('GET', `sales/${sale.value}`),
      ]);
      setText(found, orders.length === SHOWN ? `The first ${SHOWN}` : countText(orders.length, 'order'));
      list.replaceChildren(...orders.map((order) => orderOf(order, currency, load)));
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
