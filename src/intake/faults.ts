import type { FieldErrors } from '../http/input.ts';

/** A thousand broken items need no thousand sentences. */
const NAMED_MAX = 20;

/** Collects what is wrong with a body: the first are named, all are counted. */
export interface Faults {
  add(path: string, sentence: string): void;
  readonly count: number;
  /** By path; `more` says how many are not named. */
  errors(): FieldErrors;
}

export function createFaults(): Faults {
  // Without a prototype, so that `__proto__` is a path like any other.
  const named: FieldErrors = Object.create(null);
  let count = 0;
  return {
    get count() {
      return count;
    },
    add(path, sentence) {
      count++;
      if (count <= NAMED_MAX) named[path] ??= sentence;
    },
    errors() {
      if (count > NAMED_MAX) named.more = `${count - NAMED_MAX} more errors are not named`;
      return named;
    },
  };
}
