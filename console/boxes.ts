import { el, setText } from '../storefront/dom.ts';
import { wordsOf } from './box-words.ts';
import type { Figures } from './figures.ts';

/** The boxes that share the database; hidden while there is one. */
export function createBoxes() {
  const list = el('ul', { class: 'orders', role: 'list' });
  const element = el(
    'section',
    { class: 'panel', 'aria-labelledby': 'boxes-title' },
    el('h2', { id: 'boxes-title' }, 'Boxes'),
    list,
  );
  element.hidden = true;
  const lines = new Map<string, HTMLElement>();
  return {
    element,
    show({ boxes = [] }: Figures): void {
      element.hidden = boxes.length < 2;
      const known = new Set(boxes.map(({ id }) => id));
      for (const [id, line] of lines) {
        if (known.has(id)) continue;
        line.remove();
        lines.delete(id);
      }
      for (const [place, box] of boxes.entries()) {
        const line = lines.get(box.id) ?? el('li', {});
        setText(line, wordsOf(box, place === 0));
        if (lines.has(box.id)) continue;
        lines.set(box.id, line);
        list.append(line);
      }
    },
  };
}
