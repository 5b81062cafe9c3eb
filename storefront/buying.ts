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
      // The same code, until somebody knows.
      if (error instanceof OutcomeUnknown) continue;
      if (error instanceof Refusal && WORTH_WAITING.includes(error.code)) continue;
      forget('buying');
      onSay(sentenceFor(error));
      return undefined;
    }
  }
}

const WORTH_WAITING: readonly string[] = [
  'overloaded',
  'unavailable',
  'rate_limited',
  'sale_paused',
  'network',
  'timeout',
];
