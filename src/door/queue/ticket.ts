import { timingSafeEqual } from 'node:crypto';
import type { Mac } from './mac.ts';

/** What a ticket says: who stands where in which queue. */
export interface Ticket {
  readonly saleId: string;
  readonly user: string;
  /** 0 of one who is drawn; n of the n-th later comer. */
  readonly number: number;
}

/** Its form: sale, number, user in base64url, and 128 bits of HMAC-SHA256 over these. */
export const TICKET = /^(S-[0-9a-f]{10})\.(\d{1,10})\.([\w-]{2,171})\.([\w-]{22})$/;
const MAC_BYTES = 16;

const signatureOf = (byKey: Mac, text: string): string => byKey(text).toString('base64url', 0, MAC_BYTES);

/** The text of a ticket, signed by the key of its sale. */
export function writeTicket(byKey: Mac, { saleId, user, number }: Ticket): string {
  const text = `${saleId}.${number}.${Buffer.from(user, 'latin1').toString('base64url')}`;
  return `${text}.${signatureOf(byKey, text)}`;
}

/** The sale that a text names, if it has the form of a ticket. */
export const saleOfTicket = (text: string): string | undefined => TICKET.exec(text)?.[1];

/** What a text says, if the key has signed it; undefined when it is no ticket, or a forged one. */
export function readTicket(byKey: Mac, text: string): Ticket | undefined {
  const [, saleId, number, user, mac] = TICKET.exec(text) ?? [];
  if (saleId === undefined || user === undefined || mac === undefined) return undefined;
  const signed = text.slice(0, -mac.length - 1);
  if (!timingSafeEqual(Buffer.from(signatureOf(byKey, signed)), Buffer.from(mac))) return undefined;
  return { saleId, user: Buffer.from(user, 'base64url').toString('latin1'), number: Number(number) };
}
