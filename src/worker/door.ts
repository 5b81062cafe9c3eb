import type { Config } from '../config.ts';
import { createDoor, type Door } from '../door/guard.ts';
import { createProof, type Proof } from '../door/proof.ts';
import type { PrimaryLink } from './primary-link.ts';

/** How often at most the primary is asked for keys: forgers may name a new one with each request. */
const WANTED_MS = 1_000;

export type WorkerDoor = Door & Pick<Proof, 'setKeys'>;

/** What stands before the routes, as configured; undefined when nothing does. */
export function openDoor(config: Config, primary: Pick<PrimaryLink, 'send'>): WorkerDoor | undefined {
  const { buyerSecrets, buyerJwks, buyerIssuer, buyerAudience, buyerLeewayS } = config;
  if (buyerSecrets.length === 0 && buyerJwks === undefined) return undefined;
  let wantedMs = Number.NEGATIVE_INFINITY;
  const proof = createProof({
    secrets: buyerSecrets,
    hasKeys: buyerJwks !== undefined,
    issuer: buyerIssuer,
    audience: buyerAudience,
    leewayS: buyerLeewayS,
    onUnknownKey() {
      const nowMs = performance.now();
      if (nowMs - wantedMs < WANTED_MS) return;
      wantedMs = nowMs;
      primary.send({ type: 'keys-wanted' });
    },
  });
  return { ...createDoor(proof), setKeys: proof.setKeys };
}
