import { el } from '../storefront/dom.ts';
import { countText, momentText, priceText } from '../storefront/format.ts';
import { ask } from './api.ts';
import { act } from './confirm.ts';

/** A purchase as the admin API tells it. */
export interface Order {
  readonly code: string;
  readonly user_id: string;
  readonly purchased_at: string;
  readonly state: string;
  readonly purchased_items: readonly Line[];
  readonly payment?: { readonly state: string; readonly due_at: string };
  readonly cancellations?: readonly {
    readonly cancelled_at: string;
    readonly restocked: boolean;
    readonly reason?: string;
    readonly items: readonly { readonly id: string; readonly quantity: number }[];
  }[];
}

interface Line {
  readonly id: string;
  readonly name: string;
  readonly sold: boolean;
  readonly quantity?: number;
  readonly price?: number;
  readonly cancelled?: number;
}

/** An order: its line, and opened its whole story with what can be done now. `again` is called when something was changed. */
export function orderOf(
  order: Order,
  currency: string | undefined,
  again: () => Promise<void>,
): HTMLLIElement {
  const { code, user_id: user, purchased_at: at, state, purchased_items: lines } = order;
  const bought = lines.filter(({ sold }) => sold);
  const sum = bought.reduce((all, { price = 0, quantity = 1 }) => all + price * quantity, 0);
  return el(
    'li',
    {},
    el(
      'details',
      { 'data-code': code },
      el(
        'summary',
        {},
        el('span', { class: `pill ${state}` }, state),
        ' ',
        el('strong', {}, user),
        ' ',
        countText(bought.length, 'line'),
        sum > 0 && `, ${priceText(sum, currency)}`,
        ' ',
        el('span', { class: 'note' }, momentText(Date.parse(at))),
      ),
      el('p', {}, el('a', { href: `./#/receipts/${code}` }, code)),
      el(
        'ul',
        { class: 'order-lines' },
        lines.map((line) => el('li', { class: line.sold ? '' : 'lost' }, lineText(line, currency))),
      ),
      el(
        'ol',
        { class: 'story', 'aria-label': 'What became of it' },
        storyOf(order).map(([time, words]) =>
          el('li', {}, time !== undefined && el('time', { datetime: time }, secondText(time)), ' ', words),
        ),
      ),
      actionsOf(order, again),
    ),
  );
}

const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const secondText = (time: string): string => exact.format(Date.parse(time));

function lineText(
  { id, name, sold, quantity = 1, price, cancelled }: Line,
  currency: string | undefined,
): string {
  const parts = [
    `${name} (${id})${quantity > 1 ? ` × ${quantity}` : ''}`,
    ...(price === undefined ? [] : [priceText(price, currency)]),
    ...(sold ? [] : ['lost to somebody else']),
    ...(cancelled === undefined ? [] : [`${cancelled} cancelled`]),
  ];
  return parts.join(', ');
}

type Chapter = readonly [time: string | undefined, words: string];

/** What happened to an order, in its order. */
export function storyOf({
  purchased_at: at,
  purchased_items: lines,
  payment,
  cancellations = [],
}: Order): Chapter[] {
  const lost = lines.filter(({ sold }) => !sold).length;
  const bought = countText(lines.length - lost, 'line was', 'lines were');
  const late = lost === 0 ? '' : `; ${countText(lost, 'was', 'were')} sold to somebody else before`;
  return [
    [at, `${bought} bought${late}.`],
    ...paymentStory(payment),
    ...cancellations.map(({ cancelled_at, restocked, reason, items }): Chapter => {
      const what = items.map(({ id, quantity }) => `${quantity} × ${id}`).join(', ');
      const where = restocked ? 'back on the shelf' : 'not put back';
      return [cancelled_at, `Cancelled: ${what}; ${where}${reason === undefined ? '' : ` (${reason})`}.`];
    }),
  ];
}

function paymentStory(payment: Order['payment']): Chapter[] {
  if (payment === undefined) return [];
  const { state, due_at: due } = payment;
  if (state === 'confirmed') return [[undefined, `Paid; it was awaited until ${secondText(due)}.`]];
  if (state === 'released') return [[undefined, 'Released: no payment came, and its units went back.']];
  return [[due, 'The payment is awaited until then.']];
}

function actionsOf({ code, state }: Order, again: () => Promise<void>): HTMLElement {
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
    'div',
    { class: 'actions' },
    state === 'pending' && button('Confirm', `Confirm that ${code} is paid?`, 'confirm', 'is paid.'),
    state === 'pending' &&
      button('Release', `Release ${code}? Its units go back on the shelf.`, 'release', 'is released.'),
    ['final', 'confirmed', 'partly_cancelled'].includes(state) &&
      button('Cancel', `Cancel all of ${code}? Its units go back on the shelf.`, 'cancel', 'is cancelled.'),
  );
}
