/**
 * The errors of a store, by what the caller must know: did nothing happen, or may it have happened?
 * Everything else that is thrown is a bug.
 */

/** Nothing happened: the store is known to be away, or has refused before it began. */
export class Unavailable extends Error {
  override name = 'Unavailable';
}

/** Nothing happened: a gate is shut, or a rebuild has begun a newer epoch. */
export class Fenced extends Unavailable {
  override name = 'Fenced';
  readonly saleId: string;
  constructor(saleId: string) {
    super(`the gate of ${saleId} is shut`);
    this.saleId = saleId;
  }
}

/** It was sent, and no answer came in time: it may have happened. */
export class Unanswered extends Error {
  override name = 'Unanswered';
}

/** Nothing happened: a queue of the service is full. */
export class Overloaded extends Error {
  override name = 'Overloaded';
}
