import type { SaleWithLimit } from '../client/index.ts';
import { el, setText } from '../storefront/dom.ts';
import { momentText, numberText } from '../storefront/format.ts';
import { ask, sentenceOf } from './api.ts';
import { act } from './confirm.ts';

/** Sales of the list: those of today, and of a day before. */
const SHOWN = 24;
const EXTEND_MS = 10 * 60_000;

/** The sales, and the switch of each. */
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
    sales = await ask<SaleWithLimit[]>('GET', `sales?limit=${SHOWN}`);
    const text = JSON.stringify(sales);
    if (text === shown) return;
    shown = text;
    const focused = (document.activeElement as HTMLElement | null)?.dataset.key;
    rows.replaceChildren(...sales.map((sale) => rowOf(sale, again)));
    if (focused !== undefined) rows.querySelector<HTMLElement>(`[data-key="${focused}"]`)?.focus();
    onChange();
  };
  const again = () => void load().catch(() => {});
  const element = el(
    'section',
    { class: 'panel', 'aria-labelledby': 'sales-title' },
    el('h2', { id: 'sales-title' }, 'Sales'),
    el(
      'div',
      { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'List of sales' },
      el(
        'table',
        {},
        el(
          'thead',
          {},
          el(
            'tr',
            {},
            ['Sale', 'State', 'Opens', 'Closes', 'Sold', ''].map((title) =>
              el('th', { scope: 'col' }, title === '' ? el('span', { class: 'unseen' }, 'Actions') : title),
            ),
          ),
        ),
        rows,
      ),
    ),
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

function rowOf(sale: SaleWithLimit, again: () => void): HTMLTableRowElement {
  const { id, state } = sale;
  const change = (body: object, done: string) => async () => {
    await ask('PATCH', `admin/sales/${id}`, body);
    again();
    return done;
  };
  const button = (label: string, question: string, work: () => Promise<string>) =>
    el(
      'button',
      {
        type: 'button',
        class: 'plain',
        'data-key': `${label} ${id}`,
        'aria-label': `${label} ${id}`,
        onclick: () => void act(question, label, work),
      },
      label,
    );
  const later = new Date(Date.parse(sale.ended_at) + EXTEND_MS).toISOString();
  return el(
    'tr',
    { 'data-state': state },
    el('th', { scope: 'row' }, el('a', { href: `./#/sales/${id}` }, id)),
    el('td', {}, el('span', { class: `pill ${state}` }, state)),
    el('td', {}, momentText(Date.parse(sale.started_at))),
    el('td', {}, momentText(Date.parse(sale.ended_at))),
    el('td', { class: 'number' }, `${numberText(sale.items_sold)} of ${numberText(sale.total_items)}`),
    el(
      'td',
      {},
      el(
        'div',
        { class: 'actions' },
        state === 'active' &&
          button(
            'Pause',
            `Pause ${id}? Nothing is sold until it is resumed.`,
            change({ paused: true }, `${id} is paused, on every worker.`),
          ),
        state === 'paused' &&
          button('Resume', `Resume ${id}?`, change({ paused: false }, `${id} sells again.`)),
        (state === 'active' || state === 'paused') &&
          button(
            'Extend',
            `Extend ${id} by ten minutes?`,
            change({ ended_at: later }, `${id} closes ten minutes later.`),
          ),
        (state === 'active' || state === 'paused') &&
          button(
            'End',
            `End ${id} now? It cannot be opened again later than a minute after.`,
            change({ ended_at: 'now' }, `${id} has ended.`),
          ),
        state === 'scheduled' &&
          button('Cancel', `Cancel ${id}? It will not open.`, async () => {
            await ask('DELETE', `admin/sales/${id}`);
            again();
            return `${id} is cancelled.`;
          }),
      ),
    ),
  );
}

/** Items as a table of commas, checked by the service, which names the fault of each line. */
function newSaleForm(again: () => void): HTMLElement {
  const field = (label: string, input: HTMLElement) => el('label', {}, el('span', {}, label), input);
  const name = el('input', { name: 'name', maxlength: 200, autocomplete: 'off' });
  const currency = el('input', {
    name: 'currency',
    maxlength: 3,
    size: 4,
    placeholder: 'EUR',
    autocomplete: 'off',
  });
  const begins = el('input', { name: 'started_at', type: 'datetime-local' });
  const ends = el('input', { name: 'ended_at', type: 'datetime-local' });
  const limit = el('input', { name: 'user_limit', type: 'number', min: 1, max: 100 });
  const items = el('textarea', { name: 'items', rows: 6, spellcheck: false }, 'id,name,stock,price\n');
  const preview = el('p', { class: 'note', role: 'status' });
  const problems = el('pre', { class: 'faults', role: 'alert' });
  const count = () => Math.max(0, items.value.trim().split('\n').length - 1);
  items.addEventListener('input', () => setText(preview, `${numberText(count())} items`));
  const time = (input: HTMLInputElement) =>
    input.value === '' ? undefined : new Date(input.value).toISOString();
  const send = async (event: Event) => {
    event.preventDefault();
    setText(problems, '');
    const given = {
      name: name.value || undefined,
      currency: currency.value.toUpperCase() || undefined,
      started_at: time(begins),
      ended_at: time(ends),
      user_limit: limit.value || undefined,
    };
    const query = new URLSearchParams(
      Object.entries(given).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
    );
    await act(`Make a sale of ${numberText(count())} items?`, 'Make it', async () => {
      try {
        const { data } = await ask<{ data: { id: string } }>('POST', `admin/sales?${query}`, items.value, {
          'Content-Type': 'text/csv',
        });
        again();
        return `${data.id} is made.`;
      } catch (error) {
        setText(problems, sentenceOf(error));
        throw error;
      }
    });
  };
  return el(
    'details',
    { class: 'new-sale' },
    el('summary', {}, 'A new sale'),
    el(
      'form',
      { onsubmit: (event) => void send(event) },
      el(
        'div',
        { class: 'fields' },
        field('Name', name),
        field('Currency', currency),
        field('Opens (empty: now)', begins),
        field('Closes (empty: in an hour)', ends),
        field('Units per buyer', limit),
      ),
      field('Items, as CSV with the columns id, name, stock, price, image_url', items),
      preview,
      problems,
      el('button', { type: 'submit', class: 'primary' }, 'Make the sale'),
    ),
  );
}
