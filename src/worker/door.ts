import type { Config } from '../config.ts';
import { createDoor, type Door } from '../door/guard.ts';
import { createLimits, type Limits } from '../door/limits.ts';
import { createProof, type Proof } from '../door/proof.ts';
import type { PrimaryLink } from './primary-link.ts';

/** How often at most the primary is asked for keys: forgers may name a new one with each request. */
const WANTED_MS = 1_000;
/** How often workers tell each other what heavy clients took. */
const REPORT_MS = 250;

export interface WorkerDoor extends Door {
  readonly setKeys: Proof['setKeys'];
  readonly debit: Limits['debit'];
}

type Send = Pick<PrimaryLink, 'send'>;

/** What stands before the routes, as configured; undefined when nothing does. */
export function openDoor(config: Config, primary: Send): WorkerDoor | undefined {
  const proof = openProof(config, primary);
  const limits = openLimits(config, primary);
  if (proof === undefined && limits === undefined) return undefined;
  return {
    ...createDoor(proof, limits),
    setKeys: (keys) => proof?.setKeys(keys),
    debit: (used) => limits?.debit(used),
  };
}

function openProof(config: Config, primary: Send): Proof | undefined {
  const { buyerSecrets, buyerJwks, buyerIssuer, buyerAudience, buyerLeewayS } = config;
  if (buyerSecrets.length === 0 && buyerJwks === undefined) return undefined;
  let wantedMs = Number.NEGATIVE_INFINITY;
  return createProof({
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
}

function openLimits(config: Config, primary: Send): Limits | undefined {
  const { rateUser, rateAddress, trustedProxies, proxyHeader, rateExempt, workers } = config;
  if (rateUser === undefined && rateAddress === undefined) return undefined;
  const limits = createLimits({
    user: rateUser,
    address: rateAddress,
    trusted: trustedProxies,
    exempt: rateExempt,
    header: proxyHeader,
    workers,
  });
  const report = () => {
    const used = limits.report();
    if (used) primary.send({ type: 'rates', used });
  };
  if (workers > 1) setInterval(report, REPORT_MS).unref();
  return limits;
}
