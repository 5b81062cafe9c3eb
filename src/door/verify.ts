import { errors, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose';
import { USER_ID } from '../http/input.ts';
import { ALGORITHMS, type CheckingKey } from './key-set.ts';

/** What a token proves: who sends it, and until when. */
export interface Buyer {
  readonly user: string;
  /** Its expiry, leeway included, by Date.now(). */
  readonly untilMs: number;
}

/** Why a token proves nothing, with the sentence that its sender reads. */
export const REFUSALS = {
  missing: 'Send the header Authorization: Bearer with a token',
  malformed: 'The token is no signed JWT, or is too long',
  algorithm: 'The algorithm of the token is not accepted here',
  unknown_key: 'The key of the token is not known here',
  forged: 'The signature of the token is wrong',
  expired: 'The token has expired',
  early: 'The token is not valid yet',
  foreign: 'The token is from another issuer or for another audience',
  incomplete: 'The token needs exp, and a user id as its sub',
} as const;
export type Refusal = keyof typeof REFUSALS;

/** A token that proves nothing. */
export class Unproven extends Error {
  override name = 'Unproven';
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(refusal);
    this.refusal = refusal;
  }
}

export interface VerifyOptions {
  /** Secrets of HS256; more than one while they are rotated. */
  readonly secrets: readonly string[];
  /** Public keys as they are now; undefined where none are configured. */
  readonly keys: () => readonly CheckingKey[] | undefined;
  readonly issuer: string | undefined;
  readonly audience: string | undefined;
  /** Seconds by which the clocks of issuer and service may differ. */
  readonly leewayS: number;
}

/** Checks a token: resolves with its buyer, rejects with Unproven. */
export type Verify = (token: string) => Promise<Buyer>;

export function createVerify({ secrets, keys, issuer, audience, leewayS }: VerifyOptions): Verify {
  const hmacs = secrets.map((secret) => new TextEncoder().encode(secret));
  const common: JWTVerifyOptions = {
    ...(issuer !== undefined && { issuer }),
    ...(audience !== undefined && { audience }),
    clockTolerance: leewayS,
    requiredClaims: ['sub', 'exp'],
  };
  /** Secrets check HS256 alone and public keys the rest alone: a public key is never taken for a secret. */
  const bySecret = { ...common, algorithms: ['HS256'] };
  const byKey = { ...common, algorithms: [...ALGORITHMS] };

  const verifyBySecret = async (token: string): Promise<JWTPayload> => {
    for (const hmac of hmacs.slice(0, -1)) {
      try {
        return (await jwtVerify(token, hmac, bySecret)).payload;
      } catch (error) {
        if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error;
      }
    }
    return (await jwtVerify(token, hmacs.at(-1) as Uint8Array, bySecret)).payload;
  };
  const verifyByKey = async (token: string): Promise<JWTPayload> => {
    const pick = ({ alg, kid }: { alg?: string; kid?: string }) => {
      const fitting = (keys() ?? []).filter(
        ({ algorithm, id }) => algorithm === alg && (kid === undefined || id === kid),
      );
      // Trying one key after the other would let forgers choose how much work a token makes.
      if (fitting.length !== 1) throw new Unproven('unknown_key');
      return (fitting[0] as CheckingKey).key;
    };
    return (await jwtVerify(token, pick, byKey)).payload;
  };

  return async (token) => {
    const algorithm = algorithmIn(token);
    const isKnown = algorithm === 'HS256' ? hmacs.length > 0 : keys() !== undefined;
    if (!isKnown) throw new Unproven('algorithm');
    try {
      const payload = await (algorithm === 'HS256' ? verifyBySecret : verifyByKey)(token);
      return buyerOf(payload, leewayS);
    } catch (error) {
      throw unprovenBy(error);
    }
  };
}

/** What the header of a token says, unchecked: jose compares it with what is allowed. */
function algorithmIn(token: string): unknown {
  try {
    const text = Buffer.from(token.slice(0, token.indexOf('.')), 'base64url').toString();
    return (JSON.parse(text) as { alg?: unknown } | null)?.alg;
  } catch {
    throw new Unproven('malformed');
  }
}

function buyerOf({ sub, exp }: JWTPayload, leewayS: number): Buyer {
  if (typeof sub !== 'string' || !USER_ID.test(sub)) throw new Unproven('incomplete');
  return { user: sub, untilMs: ((exp as number) + leewayS) * 1_000 };
}

const BY_CLAIM: Readonly<Record<string, Refusal>> = { nbf: 'early', iss: 'foreign', aud: 'foreign' };

/** jose's errors as refusals; what is none of a token's making stays an error. */
function unprovenBy(error: unknown): unknown {
  if (!(error instanceof errors.JOSEError)) return error;
  if (error instanceof errors.JWTExpired) return new Unproven('expired');
  if (error instanceof errors.JWTClaimValidationFailed)
    return new Unproven(BY_CLAIM[error.claim] ?? 'incomplete');
  if (error instanceof errors.JWSSignatureVerificationFailed) return new Unproven('forged');
  if (error instanceof errors.JOSEAlgNotAllowed) return new Unproven('algorithm');
  return new Unproven('malformed');
}
