import { createHash } from 'node:crypto';

/** Ids as this service makes them. */
export const generatedIds = (total: number, sale = '3f9a1c22b7') =>
  Array.from({ length: total }, (_, i) => `${sale}-${i.toString(36).padStart(4, '0')}`);

/** Ids as an admin's own catalogue may have them. */
export const numberedIds = (total: number) =>
  Array.from({ length: total }, (_, i) => `sku-${String(i).padStart(5, '0')}`);

/** Ids without any order, the same in every run. */
export const shapelessIds = (total: number) =>
  Array.from({ length: total }, (_, i) =>
    createHash('sha256').update(String(i)).digest('base64url').slice(0, 22),
  );

export const range = (count: number) => Array.from({ length: count }, (_, i) => i);
