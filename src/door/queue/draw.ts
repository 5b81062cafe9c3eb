import type { Mac } from './mac.ts';

/** What the draw makes of a buyer. */
export interface Lot {
  /** Names the buyer in Redis: 72 bits. */
  readonly name: string;
  /** Where among the drawn ones he stands: 0 is the first, and nobody is at 1. */
  readonly fraction: number;
}

/** 52 bits: a JavaScript number, and that of most languages, holds them exactly. */
const FRACTIONS = 2 ** 52;
const NAME_BYTES = [16, 25] as const;

/** The lot of a user: HMAC-SHA256 of his id by the seed of the sale. Anybody who knows the seed can draw it again. */
export function lotOf(bySeed: Mac, user: string): Lot {
  const mac = bySeed(user);
  const first52 = mac.readUIntBE(0, 6) * 16 + ((mac[6] as number) >> 4);
  return { name: mac.toString('base64url', ...NAME_BYTES), fraction: first52 / FRACTIONS };
}

/** The place of a buyer, from 0 on, with the fraction that keeps two of them apart: of one who was drawn, or of the n-th later comer. */
export const placeOf = (number: number, fraction: number, drawn: number): number =>
  number === 0 ? fraction * drawn : drawn + number - 1;
