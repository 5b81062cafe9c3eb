import { countText } from '../storefront/format.ts';
import type { Box } from './figures.ts';

/** A box is heard each 2 s; one that was not for this long hangs, or is gone. */
const SILENT_S = 5;

/** @param isOwn whether this is the box that tells */
export function wordsOf(
  { id, release, workers, leader, uptime, silent_s: silent }: Box,
  isOwn: boolean,
): string {
  const heard = silent < SILENT_S ? `up for ${uptime}` : `not heard for ${silent} s`;
  return `${id}${isOwn ? ' (this one)' : ''}: release ${release}, ${countText(workers, 'worker')}, ${heard}${leader ? ', leads' : ''}`;
}
