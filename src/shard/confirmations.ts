import { createRecent } from '../recent.ts';

/** Foreign items that are known for certain to be sold, so that the hottest need no question. */
export interface Confirmations {
  has(itemId: string): boolean;
  add(itemId: string): void;
  delete(itemId: string): void;
  clear(): void;
}

/** Makes a bounded set that forgets what was not asked for lately. @param max items held at most */
export function createConfirmations(max: number): Confirmations {
  const items = createRecent<true>(max);
  return {
    add: (itemId) => items.set(itemId, true),
    has: (itemId) => items.get(itemId) === true,
    delete: items.delete,
    clear: items.clear,
  };
}
