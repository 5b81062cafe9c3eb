import { el, setText } from '../storefront/dom.ts';
import { countText, numberText } from '../storefront/format.ts';
import { type Chart, createChart } from './chart.ts';
import type { Figures } from './figures.ts';
import { metric, type Quantiles, type Rates, ratesOf } from './rates.ts';
import { createStockTile } from './stock.ts';
import { type Wrong, wrongIn } from './wrong.ts';

/** The night at a glance: what is wrong first, then what is sold, how fast, and on what. */
export interface Overview {
  readonly element: HTMLElement;
  show(figures: Figures): void;
}

interface Shown {
  readonly value: string;
  readonly note?: string;
  /** The next point of the tile's curve. */
  readonly point?: number;
}

type Tile = readonly [label: string, show: (now: Figures, rates: Rates) => Shown];

const ms = (seconds: number): string => (seconds * 1_000).toFixed(seconds < 0.01 ? 1 : 0);
const timesOf = (times: Quantiles | undefined): Shown => ({
  value: times === undefined ? '–' : `${ms(times.p50)} / ${ms(times.p99)} ms`,
});
const rateOf = (rate: number): Shown => ({ value: numberText(Math.round(rate)), point: rate });
const isUp = (now: Figures, dependency: string) =>
  metric(now, 'flashsale_dependency_up', { dependency }) !== 0;

const TILES: readonly Tile[] = [
  ['Purchases a second', (_, { purchases }) => rateOf(purchases)],
  ['Checkouts a second', (_, { checkouts }) => rateOf(checkouts)],
  ['Purchase p50 / p99', (_, { purchaseTimes }) => timesOf(purchaseTimes)],
  ['Checkout p50 / p99', (_, { checkoutTimes }) => timesOf(checkoutTimes)],
  [
    'Workers',
    (now) => ({
      value: numberText(metric(now, 'flashsale_workers') ?? 0),
      note: `${countText(metric(now, 'flashsale_http_connections') ?? 0, 'connection')}; ${metric(now, 'flashsale_leader') === 1 ? 'this box leads' : 'another box leads'}`,
    }),
  ],
  [
    'Stores',
    (now) => {
      const away = ['redis', 'postgres'].filter((each) => !isUp(now, each));
      const gates = now.samples.filter(({ name }) => name === 'flashsale_gate_open');
      const open = gates.filter(({ value }) => value === 1).length;
      return {
        value: away.length === 0 ? 'Both up' : `${away.join(' and ')} away`,
        note: `the gates of ${open} of ${countText(gates.length, 'sale')} are open`,
      };
    },
  ],
  ['Books', booksOf],
  [
    'Oldest decision that waits',
    (now) => ({
      value: `${(metric(now, 'flashsale_outbox_oldest_age_seconds') ?? 0).toFixed(1)} s`,
      note: `${numberText(Math.round((metric(now, 'flashsale_spool_bytes') ?? 0) / 1_024))} KiB of attempts wait, and ${countText(metric(now, 'flashsale_webhooks_waiting') ?? 0, 'webhook')}`,
    }),
  ],
];

/** The last audit, of the box that leads. */
function booksOf(now: Figures): Shown {
  const differences = metric(now, 'flashsale_audit_differences_total') ?? 0;
  const lastS = metric(now, 'flashsale_audit_last_run_timestamp_seconds') ?? 0;
  const value = differences === 0 ? 'Agree' : countText(differences, 'difference');
  if (lastS === 0) return { value: differences === 0 ? '–' : value, note: 'not audited here yet' };
  return {
    value,
    note: `audited ${countText(Math.max(0, Math.round(now.at / 1_000 - lastS)), 'second')} ago`,
  };
}

/** @param runbook the paragraph of each heading */
export function createOverview(runbook: Readonly<Record<string, string>>): Overview {
  const wrong = el('ul', { class: 'wrong', role: 'list', 'aria-live': 'polite' });
  const stock = createStockTile();
  const tiles = TILES.map(createTile);
  const refusals = el('ul', { class: 'refusals', role: 'list' });
  const element = el(
    'section',
    { 'aria-labelledby': 'overview-title' },
    el('h2', { id: 'overview-title', class: 'unseen' }, 'Overview'),
    wrong,
    el(
      'div',
      { class: 'tiles' },
      stock.element,
      tiles.map((tile) => tile.element),
      el('div', { class: 'tile' }, el('h3', {}, 'Refusals a second'), refusals),
    ),
  );
  let before: Figures | undefined;
  let shown: string | undefined;

  const showWrong = (found: readonly Wrong[]) => {
    const text = found.map(({ words }) => words).join('\n');
    // What is there stays as it is, also when somebody reads what to do.
    if (text === shown) return;
    shown = text;
    const fine = el('li', { class: 'fine' }, 'All is well.');
    wrong.replaceChildren(...(found.length === 0 ? [fine] : found.map((each) => wrongLine(each, runbook))));
  };

  return {
    element,
    show(now) {
      // The same reading again says nothing new.
      if (now.at === before?.at) return;
      const rates = ratesOf(before ?? now, now);
      showWrong(wrongIn(now, before ?? now));
      before = now;
      stock.show(now);
      for (const tile of tiles) tile.show(now, rates);
      const lines = [...rates.refusals].map(([reason, rate]) =>
        el('li', {}, el('span', {}, reason), el('span', {}, numberText(Math.ceil(rate)))),
      );
      refusals.replaceChildren(...(lines.length === 0 ? [el('li', {}, 'none')] : lines));
    },
  };
}

function createTile([label, show]: Tile) {
  const value = el('p', { class: 'value' }, '–');
  const note = el('p', { class: 'note' });
  const element = el('div', { class: 'tile' }, el('h3', {}, label), value, note);
  let chart: Chart | undefined;
  return {
    element,
    show(now: Figures, rates: Rates) {
      const { value: text, note: more = '', point } = show(now, rates);
      setText(value, text);
      setText(note, more);
      if (point === undefined) return;
      if (chart === undefined) {
        chart = createChart(`${label}, the last minutes`, 'rate');
        element.append(chart.element);
      }
      chart.add(point);
    },
  };
}

const wrongLine = ({ words, runbook: heading }: Wrong, runbook: Readonly<Record<string, string>>) =>
  el(
    'li',
    {},
    el('strong', {}, words),
    runbook[heading] !== undefined &&
      el(
        'details',
        {},
        el('summary', {}, `What to do (${heading})`),
        el('p', { class: 'runbook' }, runbook[heading]),
      ),
  );
