import { createHmac, type KeyObject } from 'node:crypto';

/** What the draw makes of a buyer. */
export interface Lot {
  /** Names the buyer in Redis: 72 bits. */
  readonly name: string;
  /** Where among the drawn ones he stands: 0 is the first, and nobody is at 1. */
  readonly fraction: number;
}

/** 52 bits: a JavaScript number, and that of most languages, holds them exactly. */
const FRACTION_HEX = 13;
const NAME_BYTES = [16, 25] as const;

/** The lot of a user: HMAC-SHA256 of his id by the seed of the sale. Anybody who knows the seed can draw it again. */
export function lotOf(seed: KeyObject, user: string): Lot {
  const mac = createHmac('sha256', seed).update(user).digest();
  const fraction = Number.parseInt(mac.toString('hex', 0, 7).slice(0, FRACTION_HEX), 16) / 16 ** FRACTION_HEX;
  return { name: mac.subarray(...NAME_BYTES).toString('base64url'), fraction };
}

/** The place of a buyer, from 0 on, with the fraction that keeps two of them apart: of one who was drawn, or of the n-th later comer. */
export const placeOf = (number: number, fraction: number, drawn: number): number =>
  number === 0 ? fraction * drawn : drawn + number - 1;
