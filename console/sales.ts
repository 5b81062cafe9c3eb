import type { SaleWithLimit } from '../client/index.ts';
import { el } from '../storefront/dom.ts';
import { momentText, numberText } from '../storefront/format.ts';
import { ask } from './api.ts';
import { newSaleForm } from './new-sale.ts';
import { switchesOf } from './switches.ts';
import { tableOf } from './table.ts';

/** Sales of the list: those of today, and of a day before. */
const SHOWN = 24;
const TITLES = ['Sale', 'State', 'Opens', 'Closes', 'Sold', 'Held', 'Left'];

/** The sales, and the switches of each. */
export interface SalesView {
  readonly element: HTMLElement;
  readonly sales: readonly SaleWithLimit[];
  load(): Promise<void>;
}

export function createSalesView(onChange: () => void): SalesView {
  const rows = el('tbody');
  let sales: readonly SaleWithLimit[] = [];
  let shown = '';
  const load = async () => {
    const all = await ask<SaleWithLimit[]>('GET', `sales?limit=${SHOWN}`);
    // Name and queue are told of one sale at a time; of those that are over nothing can be changed.
    sales = await Promise.all(
      all.map((sale) =>
        ['ended', 'cancelled'].includes(sale.state)
          ? sale
          : ask<SaleWithLimit>('GET', `sales/${sale.id}`).catch(() => sale),
      ),
    );
    const text = JSON.stringify(sales);
    if (text === shown) return;
    shown = text;
    const focused = (document.activeElement as HTMLElement | null)?.dataset.key;
    rows.replaceChildren(...sales.flatMap((sale) => rowsOf(sale, again)));
    if (focused !== undefined) rows.querySelector<HTMLElement>(`[data-key="${focused}"]`)?.focus();
    onChange();
  };
  const again = () => void load().catch(() => {});
  const element = el(
    'section',
    { class: 'panel', 'aria-labelledby': 'sales-title' },
    el('h2', { id: 'sales-title' }, 'Sales'),
    tableOf('List of sales', TITLES, rows),
    newSaleForm(again),
  );
  return {
    element,
    get sales() {
      return sales;
    },
    load,
  };
}

/** What is to be known of a sale; and below it, where there is something to do, its switches, which a phone shows as well. */
function rowsOf(sale: SaleWithLimit, again: () => void): HTMLTableRowElement[] {
  const { id, state, name, items_sold: sold, items_held: held, total_items: total } = sale;
  const facts = el(
    'tr',
    { 'data-state': state },
    el(
      'th',
      { scope: 'row' },
      el('a', { href: `./#/sales/${id}` }, id),
      name !== undefined && el('p', { class: 'note' }, name),
    ),
    el('td', {}, el('span', { class: `pill ${state}` }, state)),
    el('td', {}, momentText(Date.parse(sale.started_at))),
    el('td', {}, momentText(Date.parse(sale.ended_at))),
    el('td', { class: 'number' }, numberText(sold)),
    el('td', { class: 'number' }, held === undefined ? '–' : numberText(held)),
    el('td', { class: 'number' }, numberText(total - sold - (held ?? 0))),
  );
  const switches = switchesOf(sale, again);
  if (switches.childElementCount === 0) return [facts];
  return [facts, el('tr', { class: 'switches' }, el('td', { colspan: TITLES.length }, switches))];
}
