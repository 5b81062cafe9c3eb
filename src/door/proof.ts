import type { BuyerKey } from '../messages.ts';
import { createRecent } from '../recent.ts';
import { Overloaded, Unavailable } from '../store/errors.ts';
import { type CheckingKey, checkingKey } from './key-set.ts';
import { type Buyer, createVerify, Unproven, type VerifyOptions } from './verify.ts';

/** A lane reads 4 KiB of request; tokens of common identity providers take 0.5 to 2.5 KiB. */
const TOKEN_CHARS_MAX = 4_096;
/** Tokens that were verified, by their characters and what an entry takes beside: per worker, for some 40,000 buyers. */
const KEPT_BYTES_MAX = 32 << 20;
const ENTRY_BYTES = 256;
/** Verifications under way per worker: some 0.1 s of work. */
const VERIFYING_MAX = 1_024;
/** Three parts of base64url: a signed token. Encrypted ones have five. */
const SIGNED = /^Bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i;

export interface ProofOptions extends Omit<VerifyOptions, 'keys'> {
  /** Whether public keys are configured; they come by `setKeys`. */
  readonly hasKeys: boolean;
  /** Called when a token names a key that is not known: it may be new. */
  readonly onUnknownKey: () => void;
}

/** Who sends a request, by its token. */
export interface Proof {
  /**
   * The buyer of an Authorization header: at once when the token was verified before, and has not expired. Throws or
   * rejects with Unproven; with Unavailable while the public keys are not known; with Overloaded past what can wait.
   */
  prove(authorization: string | undefined): Buyer | Promise<Buyer>;
  /** Replaces the public keys. */
  setKeys(keys: readonly BuyerKey[]): void;
}

export function createProof(options: ProofOptions): Proof {
  const recent = createRecent<Buyer>(KEPT_BYTES_MAX, (header) => header.length + ENTRY_BYTES);
  let keys: readonly CheckingKey[] | undefined = options.hasKeys ? [] : undefined;
  let texts = new Set<string>();
  let underWay = 0;
  const verify = createVerify({ ...options, keys: () => keys });

  const verifyAnew = async (header: string, token: string): Promise<Buyer> => {
    const before = keys;
    underWay++;
    try {
      const buyer = await verify(token);
      // Verified by keys that were replaced meanwhile: good for this request, and not remembered.
      if (keys === before) recent.set(header, buyer);
      return buyer;
    } catch (error) {
      if (!(error instanceof Unproven) || error.refusal !== 'unknown_key') throw error;
      options.onUnknownKey();
      if (keys?.length === 0) throw new Unavailable('the public keys of buyers are not known yet');
      throw error;
    } finally {
      underWay--;
    }
  };

  return {
    prove(authorization) {
      if (authorization === undefined) throw new Unproven('missing');
      const known = recent.get(authorization);
      if (known !== undefined && Date.now() < known.untilMs) return known;
      const token = authorization.length <= TOKEN_CHARS_MAX ? SIGNED.exec(authorization)?.[1] : undefined;
      if (token === undefined) throw new Unproven('malformed');
      if (underWay >= VERIFYING_MAX) throw new Overloaded('too many tokens are being verified');
      return verifyAnew(authorization, token);
    },
    setKeys(next) {
      const nextTexts = new Set(next.map((key) => JSON.stringify(key)));
      // Tokens of a key that was withdrawn prove nothing any more.
      if (![...texts].every((text) => nextTexts.has(text))) recent.clear();
      texts = nextTexts;
      keys = next.flatMap((key) => checkingKey(key) ?? []);
    },
  };
}
