import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readNewSale } from '../../src/intake/new-sale.ts';
import { createPace } from '../../src/intake/pace.ts';
import { checkOf, document } from '../support/contract.ts';

/** Values of every kind that a field may be given, fit for it or not. */
const now = Date.parse('2026-11-22T08:20:00Z');
const optional = (...values: unknown[]) => fc.constantFrom(undefined, ...values);
const texts = ['Lamp', '', 'x'.repeat(200), 'x'.repeat(201), 'a\nb', 'Ä "<>"', 7, null];
const item = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.record({
      id: optional('a', 'b:1', 'a b', '', 7),
      name: fc.constantFrom(...texts),
      image_url: optional(
        '/a.png',
        'https://shop.example/a.png?x=1',
        'javascript:alert(1)',
        '//a',
        'a.png',
        ...texts,
      ),
      price: optional(0, 1_250, 1_000_000_000_000, -1, 1.5, 1_000_000_000_001, '1', null),
      data: optional({}, { size: 'M', tags: ['a', null] }, [], 'size', null),
    }),
  },
  fc.constantFrom(null, 'lamp', 7),
);
const body = fc.record({
  total_items: optional(1, 2, 1_000_000, 0, 1_000_001, 1.5, '1', null),
  user_limit: optional(1, 100, 0, 101, '1', null),
  started_at: optional('2026-11-22T08:00:00Z', '2026-11-22T09:00:00.5+01:00', 'now', '2026-11-22', 1, null),
  ended_at: optional('2026-11-22T09:00:00Z', '2026-11-22T09:30:00Z', '2026-11-22T09:00:00', null),
  items: fc.oneof(
    fc.constantFrom(undefined, [], 'items', null),
    fc.uniqueArray(item, { maxLength: 3, selector: (each) => (each as { id?: unknown } | null)?.id ?? {} }),
  ),
  currency: optional('EUR', 'JPY', 'eur', 'EURO', 978, null),
  name: optional('Friday drop', ...texts),
  colour: fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, fc.constant('red')),
});
/** What no schema can say. */
const BEYOND = /must be the number of items, \d|later than|in the future|within 7 days|needs the currency/;

test('a body that is accepted is valid as documented, and a valid one is refused only for what no schema says', async () => {
  const check = await checkOf(document.components.schemas.NewSale!);
  await fc.assert(
    fc.asyncProperty(body, async (fields) => {
      const sent = JSON.parse(JSON.stringify(fields));
      const read = await readNewSale(sent, 10, now, createPace());
      if ('sale' in read) assert.ok(check(sent).valid, 'accepted, though not valid as documented');
      else if (check(sent).valid)
        for (const sentence of Object.values(read.errors)) assert.match(sentence, BEYOND);
    }),
    { numRuns: 5_000 },
  );
});
