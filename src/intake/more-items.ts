import type { FieldErrors } from '../http/input.ts';
import { createFaults } from './faults.ts';
import { isObject, refuseUnknown } from './fields.ts';
import { type ReadItem, rawItemsOf, readItems } from './new-items.ts';
import type { Pace } from './pace.ts';

export const MORE_ITEMS_FIELDS = ['items'] as const;

/** Checks the form of the body of POST /admin/sales/{id}/items; which items are new, only the sale knows. All errors at once. */
export async function readMoreItems(
  body: unknown,
  pace: Pace,
): Promise<{ readonly items: readonly ReadItem[] } | { readonly errors: FieldErrors }> {
  if (!isObject(body)) return { errors: { body: 'the body must be a JSON object' } };
  const faults = createFaults();
  refuseUnknown(body, MORE_ITEMS_FIELDS, 'a field of this request, which has', faults);
  const raw = (await rawItemsOf(body.items, faults, pace)) ?? [];
  const items = await readItems(raw, { areNew: false, hasCurrency: true }, faults, pace);
  return faults.count > 0 ? { errors: faults.errors() } : { items };
}
