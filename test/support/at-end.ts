import { after } from 'node:test';

const closings: (() => unknown)[] = [];

/** Has work done when all tests of the file are over: last in, first done, whatever becomes of the others. */
export const atEnd = (close: () => unknown): void => void closings.push(close);

after(async () => {
  const errors: unknown[] = [];
  for (const close of closings.splice(0).reverse()) {
    try {
      await close();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw new AggregateError(errors, `could not clean up: ${errors.join('; ')}`);
});
