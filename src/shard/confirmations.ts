import { copyOf } from './copy.ts';

/** Foreign items that are known for certain to be sold, so that the hottest need no question. */
export interface Confirmations {
  has(itemId: string): boolean;
  add(itemId: string): void;
}

/**
 * Makes a bounded set that forgets what was not asked for lately: two generations, of which the older goes
 * when the younger is full, unless a look-up has carried an item over. (A FIFO on one Set deletes from its
 * front, and V8 then walks over the holes at every further delete.)
 *
 * @param max items held at most, in both generations
 */
export function createConfirmations(max: number): Confirmations {
  const generationMax = Math.floor(max / 2);
  let young = new Set<string>();
  let old = new Set<string>();
  const add = (itemId: string) => {
    if (generationMax === 0 || young.has(itemId)) return;
    if (young.size >= generationMax) {
      old = young;
      young = new Set();
    }
    young.add(copyOf(itemId));
  };
  return {
    add,
    has(itemId) {
      if (young.has(itemId)) return true;
      if (!old.has(itemId)) return false;
      add(itemId);
      return true;
    },
  };
}
