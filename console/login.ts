import { Refusal } from '../client/errors.ts';
import { el, setText } from '../storefront/dom.ts';
import { ask, sentenceOf } from './api.ts';

/** Asks for the admin token; calls back when a session is open. */
export function showLogin(main: HTMLElement, onOpen: () => void): void {
  const token = el('input', {
    type: 'password',
    id: 'token',
    autocomplete: 'current-password',
    required: true,
  });
  const status = el('p', { class: 'note', role: 'alert' });
  const send = async (event: Event) => {
    event.preventDefault();
    try {
      await ask('POST', 'console/session', { token: token.value });
      onOpen();
    } catch (error) {
      const isWrong = error instanceof Refusal && error.code === 'unauthorized';
      setText(status, isWrong ? 'This is not the admin token.' : sentenceOf(error));
      token.select();
    }
  };
  main.replaceChildren(
    el(
      'form',
      { class: 'sheet', onsubmit: (event) => void send(event) },
      el('h1', {}, 'Console'),
      el('label', { for: 'token' }, 'Admin token'),
      // Browsers keep a password under a name.
      el('input', { type: 'text', autocomplete: 'username', value: 'admin', hidden: true }),
      token,
      status,
      el('button', { type: 'submit', class: 'primary' }, 'Log in'),
    ),
  );
  token.focus();
}
