import { el, setText } from '../storefront/dom.ts';
import { say } from '../storefront/toast.ts';
import { sentenceOf } from './api.ts';

interface Field {
  readonly name: string;
  readonly label: string;
  readonly type: 'text' | 'number';
  readonly value?: string | number | undefined;
  readonly min?: number | undefined;
  readonly step?: 'any' | undefined;
  readonly isRequired?: boolean | undefined;
}

export interface Question {
  readonly title: string;
  readonly note: string;
  readonly action: string;
  readonly fields: readonly Field[];
  /** Does it with what was filled in; returns what came of it. */
  readonly work: (values: Readonly<Record<string, string>>) => Promise<string>;
}

/** Asks for what an action needs, does it, and says what came of it. A refusal is shown beside what was filled in. */
export function fillIn({ title, note, action, fields, work }: Question): void {
  const inputs = fields.map(({ name, type, value, min, step, isRequired }) =>
    el('input', {
      ...{ name, type, id: `fill-${name}`, autocomplete: 'off', min, step, value },
      required: isRequired ?? false,
    }),
  );
  const problem = el('p', { class: 'faults', role: 'alert' });
  const send = async (event: Event) => {
    event.preventDefault();
    try {
      const said = await work(Object.fromEntries(inputs.map((input) => [input.name, input.value.trim()])));
      dialog.close();
      say(said);
    } catch (error) {
      setText(problem, sentenceOf(error));
    }
  };
  const dialog = el(
    'dialog',
    { class: 'question', 'aria-labelledby': 'fill-title' },
    el(
      'form',
      { class: 'filling', onsubmit: (event) => void send(event) },
      el('h2', { id: 'fill-title' }, title),
      el('p', { class: 'note' }, note),
      fields.map(({ label }, i) => el('label', {}, el('span', {}, label), inputs[i])),
      problem,
      el(
        'div',
        { class: 'row' },
        el('button', { type: 'submit', class: 'primary' }, action),
        el('button', { type: 'button', class: 'plain', onclick: () => dialog.close() }, 'Leave it'),
      ),
    ),
  );
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  inputs[0]?.focus();
}
