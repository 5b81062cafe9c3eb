import { el } from '../storefront/dom.ts';
import { say } from '../storefront/toast.ts';
import { sentenceOf } from './api.ts';

/** Asks once whether to do it. */
export function isSure(question: string, action: string): Promise<boolean> {
  return new Promise((resolve) => {
    const close = (answer: boolean) => () => {
      dialog.close();
      resolve(answer);
    };
    const yes = el('button', { type: 'button', class: 'primary', onclick: close(true) }, action);
    const dialog = el(
      'dialog',
      { class: 'question', 'aria-labelledby': 'question' },
      el('p', { id: 'question' }, question),
      el(
        'div',
        { class: 'row' },
        yes,
        el('button', { type: 'button', class: 'plain', onclick: close(false) }, 'Leave it'),
      ),
    );
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(false);
    });
    document.body.append(dialog);
    dialog.showModal();
    yes.focus();
  });
}

/** Does what an operator wants, when he is sure, and says what came of it. Returns whether it was done. */
export async function act(question: string, action: string, work: () => Promise<string>): Promise<boolean> {
  if (!(await isSure(question, action))) return false;
  try {
    say(await work());
    return true;
  } catch (error) {
    say(sentenceOf(error));
    return false;
  }
}
