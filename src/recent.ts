import { copyOf } from './copy.ts';

/** A bounded map that forgets what was not asked for lately. */
export interface Recent<V> {
  get(key: string): V | undefined;
  set(key: string, value: V): void;
  delete(key: string): void;
  clear(): void;
}

/**
 * Makes a bounded map of two generations: the older goes when the younger is full, unless a look-up has carried an entry
 * over. (A FIFO on one Map deletes from its front, and V8 then walks over the holes at every further delete.)
 *
 * @param max weight of all entries at most, in both generations; 0: nothing is kept
 * @param weightOf weight of the entry of a key; 1 by default, so that `max` is a number of entries
 */
export function createRecent<V>(max: number, weightOf: (key: string) => number = () => 1): Recent<V> {
  const generationMax = Math.floor(max / 2);
  let young = new Map<string, V>();
  let old = new Map<string, V>();
  let weight = 0;
  const set = (key: string, value: V) => {
    if (young.has(key)) {
      young.set(key, value);
      return;
    }
    const added = weightOf(key);
    if (added > generationMax) return;
    if (weight + added > generationMax) {
      old = young;
      young = new Map();
      weight = 0;
    }
    weight += added;
    young.set(copyOf(key), value);
  };
  return {
    set,
    get(key) {
      const value = young.get(key);
      if (value !== undefined) return value;
      const carried = old.get(key);
      if (carried !== undefined) set(key, carried);
      return carried;
    },
    delete(key) {
      if (young.delete(key)) weight -= weightOf(key);
      old.delete(key);
    },
    clear() {
      young = new Map();
      old = new Map();
      weight = 0;
    },
  };
}
