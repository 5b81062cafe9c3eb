import type { SaleWithLimit } from '../client/index.ts';
import { el } from '../storefront/dom.ts';
import { ask } from './api.ts';
import { act } from './confirm.ts';
import { fillIn } from './fill-in.ts';

const EXTEND_MS = 10 * 60_000;

/** What can be done with a sale in its state: each button asks once. `again` is called when something was changed. */
export function switchesOf(sale: SaleWithLimit, again: () => void): HTMLElement {
  const { id, state } = sale;
  const isOn = state === 'active' || state === 'paused';
  const patch = async (body: object, done: string) => {
    await ask('PATCH', `admin/sales/${id}`, body);
    again();
    return done;
  };
  const button = (label: string, onclick: () => void) =>
    el(
      'button',
      {
        ...{ type: 'button', class: 'plain', onclick },
        'data-key': `${label} ${id}`,
        'aria-label': `${label} ${id}`,
      },
      label,
    );
  const sure = (label: string, question: string, work: () => Promise<string>) =>
    button(label, () => void act(question, label, work));
  const change = (label: string, question: string, body: object, done: string) =>
    sure(label, question, () => patch(body, done));
  const later = new Date(Date.parse(sale.ended_at) + EXTEND_MS).toISOString();
  const cancel = async () => {
    await ask('DELETE', `admin/sales/${id}`);
    again();
    return `${id} is cancelled.`;
  };
  return el(
    'div',
    { class: 'actions' },
    state === 'active' &&
      change(
        'Pause',
        `Pause ${id}? Nothing is sold until it is resumed.`,
        { paused: true },
        `${id} is paused, on every worker.`,
      ),
    state === 'paused' && change('Resume', `Resume ${id}?`, { paused: false }, `${id} sells again.`),
    isOn &&
      change(
        'Extend',
        `Extend ${id} by ten minutes?`,
        { ended_at: later },
        `${id} closes ten minutes later.`,
      ),
    isOn &&
      change(
        'End',
        `End ${id} now? It cannot be opened again later than a minute after.`,
        { ended_at: 'now' },
        `${id} has ended.`,
      ),
    (isOn || state === 'scheduled') && button('More stock', () => askForStock(id, again)),
    sale.queue !== undefined &&
      (isOn || state === 'scheduled') &&
      button('Queue rate', () => askForRate(id, sale.queue?.admit_per_second, patch)),
    state === 'scheduled' && sure('Cancel', `Cancel ${id}? It will not open.`, cancel),
  );
}

interface Added {
  readonly items_added: number;
  readonly units_added: number;
  readonly total_items: number;
}

/** More units of an item, or an item that the sale did not have. */
function askForStock(id: string, again: () => void): void {
  fillIn({
    title: `More stock for ${id}`,
    note: 'Of an item of the sale: the units that it shall have in all. An id that the sale does not have is a new item, and needs a name. The sale answers 503 for some tenths of a second meanwhile.',
    action: 'Add it',
    fields: [
      { name: 'id', label: 'Item', type: 'text', isRequired: true },
      { name: 'stock', label: 'Units in all', type: 'number', min: 1, isRequired: true },
      { name: 'name', label: 'Name, of a new item', type: 'text' },
      { name: 'price', label: 'Price in minor units, of a new item', type: 'number', min: 0 },
    ],
    async work({ id: item, stock, name, price }) {
      const more = {
        ...{ id: item, stock: Number(stock) },
        ...(name && { name }),
        ...(price && { price: Number(price) }),
      };
      const added = await ask<Added>('POST', `admin/sales/${id}/items`, { items: [more] });
      again();
      return `${id} has ${added.units_added} units more: ${added.total_items} in all.`;
    },
  });
}

function askForRate(
  id: string,
  rate: number | undefined,
  patch: (body: object, done: string) => Promise<string>,
): void {
  fillIn({
    title: `Queue of ${id}`,
    note: '0 admits nobody, until it is changed.',
    action: 'Set it',
    fields: [
      {
        ...{ name: 'rate', label: 'Buyers admitted per second', type: 'number', value: rate },
        ...{ min: 0, step: 'any', isRequired: true },
      },
    ],
    work: ({ rate: wanted = '' }) =>
      patch({ queue: { admit_per_second: Number(wanted) } }, `${id} admits ${wanted} a second.`),
  });
}
