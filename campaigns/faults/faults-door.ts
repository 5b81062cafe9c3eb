import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bearer, byKey, claimsOf, newSigner, type Signer } from '../hardening/tokens.ts';
import type { Fault, FaultContext } from './faults.ts';

const KEY_FILE = join(tmpdir(), `flashsale-faults-keys-${process.pid}.json`);
/** A file of keys is read each 5 s. */
const READ_MS = 6_000;
let signer: Signer | undefined;
const publish = (...signers: readonly Signer[]) =>
  writeFileSync(KEY_FILE, JSON.stringify({ keys: signers.map(({ jwk }) => jwk) }));

/** The first key, published before the service starts. */
function currentSigner(): Signer {
  if (signer !== undefined) return signer;
  const first = newSigner('ES256', 'key-0');
  publish(first);
  signer = first;
  return first;
}

/** Keys of buyers are published, used, and withdrawn under load: no buyer is refused who goes by the key set. */
async function rotateKeys({ target, full, random, clock, violate }: FaultContext): Promise<void> {
  for (let turn = full ? 4 : 1; turn > 0; turn--) {
    const [old, next] = [
      currentSigner(),
      newSigner(random.pick(['EdDSA', 'ES256', 'RS256']), `key-${Date.now()}`),
    ];
    publish(old, next);
    await sleep(READ_MS);
    signer = next;
    // Requests with the old key are still under way.
    await sleep(1_000);
    publish(next);
    await sleep(READ_MS);
    clock();
  }
  const refused = target.history.lines.filter(
    (line) => 'answer' in line && /^buyer_/.test(String(line.answer)),
  );
  if (refused.length > 0) violate('unexpected-answer', `${refused.length} buyers were refused`);
}

export const doorFaults: readonly Fault[] = [
  {
    name: 'key-rotation',
    stands: ['private'],
    noFailures: true,
    get env() {
      currentSigner();
      return { BUYER_JWKS: KEY_FILE };
    },
    proofOf: (user) => bearer(byKey(currentSigner(), claimsOf(user))),
    inject: rotateKeys,
  },
];
