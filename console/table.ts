import { el } from '../storefront/dom.ts';

/** A table that scrolls by itself, for the keyboard as well; `label` is its name. */
export const tableOf = (label: string, titles: readonly string[], rows: HTMLElement): HTMLElement =>
  el(
    'div',
    { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': label },
    el(
      'table',
      {},
      el(
        'thead',
        {},
        el(
          'tr',
          {},
          titles.map((title) => el('th', { scope: 'col' }, title)),
        ),
      ),
      rows,
    ),
  );
