import { el, setText } from '../storefront/dom.ts';
import { countText, momentText } from '../storefront/format.ts';
import { ask } from './api.ts';
import { act } from './confirm.ts';
import { tableOf } from './table.ts';

interface Action {
  readonly id: string;
  readonly at: string;
  readonly who: string;
  readonly address: string;
  readonly method: string;
  readonly path: string;
  readonly what: string;
}

interface Dead {
  readonly id: string;
  readonly tries: number;
  readonly failure: string;
  readonly event: { readonly type: string };
}

const SHOWN = 25;
const LINE_MAX = 100;

/** A list that is read anew each time. */
export interface Listing {
  readonly element: HTMLElement;
  load(): Promise<void>;
}

/** Who did what, newest first. */
export function createTrail(): Listing {
  const rows = el('tbody');
  const payments = el('input', { type: 'checkbox', id: 'trail-payments' });
  const element = el(
    'section',
    { class: 'panel', 'aria-labelledby': 'trail-title' },
    el('h2', { id: 'trail-title' }, 'Who did what'),
    el(
      'label',
      { class: 'check', for: 'trail-payments' },
      payments,
      el('span', {}, 'Payments, confirmed or released, too'),
    ),
    tableOf('List of actions', ['When', 'Who', 'From', 'What'], rows),
  );
  const load = async () => {
    const actions = await ask<Action[]>('GET', `admin/actions?limit=${SHOWN}&payments=${payments.checked}`);
    rows.replaceChildren(
      ...actions.map(({ at, who, address, method, path, what }) =>
        el(
          'tr',
          {},
          el('td', {}, momentText(Date.parse(at))),
          el('td', {}, who),
          el('td', {}, address),
          el('td', { class: 'what' }, `${method} ${path} `, whatOf(what)),
        ),
      ),
    );
  };
  payments.addEventListener('change', () => void load().catch(() => {}));
  return { element, load };
}

/** A long one is opened by who wants to read it. */
const whatOf = (what: string): Node | string =>
  what.length <= LINE_MAX ? what : el('details', {}, el('summary', {}, `${what.slice(0, LINE_MAX)} …`), what);

/** Webhooks that could not be delivered; hidden while there are none. */
export function createDeadWebhooks(): Listing {
  const list = el('ul', { class: 'orders', role: 'list' });
  const count = el('p', { class: 'note' });
  const retry = async () => {
    const { retried } = await ask<{ retried: number }>('POST', 'admin/webhooks/dead/retry');
    return `${countText(retried, 'event is', 'events are')} sent again.`;
  };
  const button = el(
    'button',
    {
      type: 'button',
      class: 'plain',
      onclick: () => void act('Send all of them again?', 'Send again', retry),
    },
    'Send again',
  );
  const element = el(
    'section',
    { class: 'panel', 'aria-labelledby': 'dead-title' },
    el('h2', { id: 'dead-title' }, 'Webhooks that failed'),
    count,
    list,
    button,
  );
  element.hidden = true;
  return {
    element,
    async load() {
      const dead = await ask<Dead[]>('GET', `admin/webhooks/dead?limit=${SHOWN}`);
      element.hidden = dead.length === 0;
      setText(count, countText(dead.length, 'event'));
      list.replaceChildren(
        ...dead.map(({ id, tries, failure, event }) =>
          el('li', {}, `${event.type} ${id}: ${failure}, ${countText(tries, 'try', 'tries')}`),
        ),
      );
    },
  };
}
