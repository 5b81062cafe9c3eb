/** Tokens of buyers, sound and forged, and the keys that sign them. */
import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { BuyerKey } from '../../src/messages.ts';

export const SECRET = 'a secret of at least thirty-two bytes';

/** A pair of keys and its public part as a key set has it. */
export interface Signer {
  readonly alg: 'EdDSA' | 'ES256' | 'RS256';
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly jwk: BuyerKey;
}

export function newSigner(alg: Signer['alg'], kid: string): Signer {
  const { privateKey, publicKey } = pairOf(alg);
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' } as unknown as BuyerKey;
  return { alg, kid, privateKey, publicKey, jwk };
}

function pairOf(alg: Signer['alg']) {
  if (alg === 'EdDSA') return generateKeyPairSync('ed25519');
  if (alg === 'ES256') return generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return generateKeyPairSync('rsa', { modulusLength: 2_048 });
}

export type Claims = Readonly<Record<string, unknown>>;

const part = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** What is signed: header and claims, of any shape. */
export const unsigned = (header: unknown, claims: unknown) => `${part(header)}.${part(claims)}`;

export const inS = (seconds: number) => Math.floor(Date.now() / 1_000) + seconds;

/** Claims of a buyer that are good for an hour. */
export const claimsOf = (sub: unknown, more: Claims = {}): Claims => ({ sub, exp: inS(3_600), ...more });

/** A token of HS256. */
export function bySecret(claims: unknown, secret: string | Buffer = SECRET, header: Claims = {}): string {
  const text = unsigned({ alg: 'HS256', typ: 'JWT', ...header }, claims);
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

/** A token of a signer; `header` replaces what its header says. */
export function byKey({ alg, kid, privateKey }: Signer, claims: unknown, header: Claims = {}): string {
  const text = unsigned({ alg, kid, ...header }, claims);
  const key = { key: privateKey, dsaEncoding: 'ieee-p1363' as const };
  return `${text}.${sign(alg === 'EdDSA' ? null : 'sha256', Buffer.from(text), key).toString('base64url')}`;
}

export const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });
