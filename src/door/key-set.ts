import { createPublicKey, type KeyObject } from 'node:crypto';
import type { BuyerKey } from '../messages.ts';

/** A key that can check signatures of one algorithm. */
export interface CheckingKey {
  readonly algorithm: Algorithm;
  readonly id: string | undefined;
  readonly key: KeyObject;
}

export const ALGORITHMS = ['EdDSA', 'ES256', 'RS256'] as const;
type Algorithm = (typeof ALGORITHMS)[number];

/** Identity providers publish two to five: the current ones, the next, the last. */
const KEYS_MAX = 32;
/** RFC 7518 (3.3). */
const RSA_BITS_MIN = 2_048;

/** The public members of a key, by its type; what else a set says, a private part above all, goes no further. */
const MEMBERS: Readonly<Record<string, readonly string[]>> = {
  OKP: ['kty', 'kid', 'crv', 'x'],
  EC: ['kty', 'kid', 'crv', 'x', 'y'],
  RSA: ['kty', 'kid', 'n', 'e'],
};

/**
 * Reads a JSON Web Key Set. Keys of other kinds, for encryption, or broken are left out, as RFC 7517 (5) says. Throws a
 * sentence when it is no key set, has too many keys, or none that is of use.
 */
export function readKeySet(text: string): BuyerKey[] {
  const set = parse(text);
  if (!Array.isArray(set?.keys)) throw new Error('it is no JSON Web Key Set: an object with an array "keys"');
  if (set.keys.length > KEYS_MAX) throw new Error(`it has more than ${KEYS_MAX} keys`);
  const known = (set.keys as unknown[])
    .map(publicPart)
    .filter((key) => key !== undefined)
    .filter((key) => checkingKey(key) !== undefined);
  if (known.length === 0) throw new Error(`it has no key for ${ALGORITHMS.join(', ')}`);
  return known;
}

function parse(text: string): { keys?: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function publicPart(value: unknown): BuyerKey | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const key = value as Record<string, unknown>;
  const members = MEMBERS[String(key.kty)];
  if (members === undefined || (key.use !== undefined && key.use !== 'sig')) return undefined;
  const { alg } = key;
  const entries = members.flatMap((name) => (typeof key[name] === 'string' ? [[name, key[name]]] : []));
  const part = Object.fromEntries(entries) as BuyerKey;
  return alg === undefined || alg === algorithmOf(part) ? part : undefined;
}

/** One algorithm for each kind of key: a token cannot choose how its key is used. */
function algorithmOf({ kty, crv }: BuyerKey): Algorithm | undefined {
  if (kty === 'RSA') return 'RS256';
  if (kty === 'EC' && crv === 'P-256') return 'ES256';
  return kty === 'OKP' && crv === 'Ed25519' ? 'EdDSA' : undefined;
}

/** The key, ready for use; undefined when it is none, or too weak. */
export function checkingKey(jwk: BuyerKey): CheckingKey | undefined {
  const algorithm = algorithmOf(jwk);
  if (algorithm === undefined) return undefined;
  try {
    const key = createPublicKey({ key: { ...jwk }, format: 'jwk' });
    const bits = key.asymmetricKeyDetails?.modulusLength ?? RSA_BITS_MIN;
    return bits >= RSA_BITS_MIN ? { algorithm, id: jwk.kid, key } : undefined;
  } catch {
    return undefined;
  }
}
