import { OutcomeUnknown, type Receipt, Refusal, type Shop } from '../client/index.ts';
import { forget, type KeptReceipt, keep, keepReceipt, kept } from './keep.ts';
import { sentenceFor } from './words.ts';

/** A purchase that was begun on this browser and whose outcome is not known. */
export const underWay = (): KeptReceipt | undefined => kept<KeptReceipt>('buying');

/**
 * Buys a cart and stays with it until its outcome is known, also over a reload of the page. Resolves with the receipt; undefined when nothing was
 * decided, after `onSay` has said why.
 */
export async function buyAndStay(
  shop: Shop,
  cart: KeptReceipt,
  onSay: (sentence: string) => void,
): Promise<Receipt | undefined> {
  keep('buying', cart);
  for (;;) {
    try {
      const receipt = await shop.buy(cart.code, { onWait: (why) => onSay(sentenceFor(why)) });
      keepReceipt(cart);
      forget('buying');
      return receipt;
    } catch (error) {
      const why = error instanceof OutcomeUnknown ? error.cause : error;
      onSay(sentenceFor(why));
      // The same code, until somebody knows.
      const goesOn = error instanceof OutcomeUnknown || isWorthWaiting(error);
      if (!goesOn) {
        forget('buying');
        return undefined;
      }
      await pause(Math.max(PAUSE_MS, why instanceof Refusal ? (why.retryAfterMs ?? 0) : 0));
    }
  }
}

/** Between two rounds of tries; each round waits by itself between its tries. */
const PAUSE_MS = 2_000;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms * (1 + Math.random() / 4)));

const isWorthWaiting = (error: unknown): boolean =>
  error instanceof Refusal && WORTH_WAITING.includes(error.code);

const WORTH_WAITING: readonly string[] = [
  'overloaded',
  'unavailable',
  'rate_limited',
  'sale_paused',
  'network',
  'timeout',
];
