import { el, setText } from '../storefront/dom.ts';
import { numberText } from '../storefront/format.ts';
import { createChart } from './chart.ts';
import type { Figures } from './figures.ts';
import { metric } from './rates.ts';

const PARTS = ['sold', 'held', 'left'] as const;

/** Units of the live sales, each in one of three places. */
export function stockOf(now: Figures): Record<(typeof PARTS)[number], number> {
  const taken = metric(now, 'flashsale_sale_items_sold') ?? 0;
  const held = metric(now, 'flashsale_sale_items_held') ?? 0;
  const all = metric(now, 'flashsale_sale_items') ?? 0;
  // What is held was taken off the shelf as well.
  return { sold: Math.max(0, taken - held), held, left: Math.max(0, all - taken) };
}

/** What is sold, held for payments and left, and how it came so. */
export function createStockTile() {
  const chart = createChart('Units sold, held and left, the last minutes', ...PARTS);
  const values = PARTS.map((part) => el('dd', { class: 'value', 'data-part': part }, '–'));
  const element = el(
    'div',
    { class: 'tile wide' },
    el('h3', {}, 'Units of the live sales'),
    el(
      'dl',
      { class: 'parts' },
      PARTS.map((part, i) =>
        el('div', { class: part }, el('dt', {}, part[0]?.toUpperCase(), part.slice(1)), values[i]),
      ),
    ),
    chart.element,
  );
  return {
    element,
    show(now: Figures) {
      const stock = stockOf(now);
      for (const [i, part] of PARTS.entries()) setText(values[i] as HTMLElement, numberText(stock[part]));
      chart.add(...PARTS.map((part) => stock[part]));
    },
  };
}
