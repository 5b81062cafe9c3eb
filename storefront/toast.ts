import { byId } from './dom.ts';

const SHOWN_MS = 6_000;
let timer = 0;

/** What was said belongs to another page. */
export const hush = (): void => byId('toast').classList.remove('shown');

/** Says a sentence at the edge of the page, and to screen readers. */
export function say(sentence: string): void {
  const toast = byId('toast');
  toast.textContent = sentence;
  toast.classList.add('shown');
  clearTimeout(timer);
  timer = setTimeout(() => toast.classList.remove('shown'), SHOWN_MS);
}
