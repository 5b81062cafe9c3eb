import { el, setText } from './dom.ts';
import { spanText } from './format.ts';

/** A clock that runs down to a moment of the service's clock, or says a word instead. */
export interface Countdown {
  readonly element: HTMLElement;
  /** @param until undefined: only the label */
  set(label: string, until: number | undefined): void;
  stop(): void;
}

const TICK_MS = 200;

export function createCountdown(now: () => number, onZero: () => void): Countdown {
  const label = el('span', { class: 'countdown-label' });
  const digits = el('span', { class: 'countdown-digits' });
  // Not live: nobody wants to hear each second.
  const element = el('div', { class: 'countdown', role: 'timer' }, label, digits);
  let until: number | undefined;
  const tick = () => {
    if (until === undefined) return;
    const ms = until - now();
    setText(digits, spanText(ms));
    element.classList.toggle('urgent', ms < 60_000);
    if (ms > 0) return;
    until = undefined;
    onZero();
  };
  const timer = setInterval(tick, TICK_MS);
  return {
    element,
    set(text, next) {
      setText(label, text);
      until = next;
      digits.hidden = next === undefined;
      tick();
    },
    stop: () => clearInterval(timer),
  };
}
