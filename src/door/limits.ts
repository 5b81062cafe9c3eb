import type { Answer } from '../http/answer.ts';
import type { Asked } from '../http/asked.ts';
import { problem } from '../http/problem.ts';
import type { Rate, UsedOf } from '../messages.ts';
import { type Buckets, createBuckets } from './buckets.ts';
import { type ClientOptions, createClientOf } from './client.ts';

export interface LimitsOptions extends ClientOptions {
  readonly user: Rate | undefined;
  readonly address: Rate | undefined;
  readonly workers: number;
}

/** Limits how often a user and an address may ask. Each answer is a refusal; undefined lets the request pass. */
export interface Limits {
  ofAddress(asked: Asked): Answer | undefined;
  ofUser(asked: Asked, user: string): Answer | undefined;
  /** What was given since the last call; undefined when it was nothing. */
  report(): UsedOf | undefined;
  /** Takes off what another worker gave. */
  debit(used: UsedOf): void;
}

export function createLimits(options: LimitsOptions): Limits {
  const reports = options.workers > 1;
  const user = options.user && createLimit('user', options.user, reports);
  const address = options.address && createLimit('address', options.address, reports);
  const clientOf = createClientOf(options);

  return {
    ofAddress(asked) {
      if (address === undefined) return undefined;
      const client = clientOf(asked);
      return client === undefined || client.isExempt ? undefined : address.ask(asked, client.key);
    },
    ofUser: (asked, name) => user?.ask(asked, name),
    report() {
      const used = { user: user?.buckets.report() ?? [], address: address?.buckets.report() ?? [] };
      return used.user.length + used.address.length > 0 ? used : undefined;
    },
    debit(used) {
      const nowMs = performance.now();
      user?.buckets.debit(used.user, nowMs);
      address?.buckets.debit(used.address, nowMs);
    },
  };
}

interface Limit {
  readonly buckets: Buckets;
  ask(asked: Asked, key: string): Answer | undefined;
}

function createLimit(what: keyof UsedOf, rate: Rate, reports: boolean): Limit {
  const buckets = createBuckets(rate, reports);
  // draft-ietf-httpapi-ratelimit-headers-10: q requests in w seconds; r are left now, and more in t seconds.
  const policy = `"${what}";q=${rate.burst};w=${Math.ceil(rate.burst / rate.perSecond)}`;
  return {
    buckets,
    ask(asked, key) {
      const waitS = buckets.take(key, asked.beganMs);
      if (waitS === 0) return undefined;
      const seconds = Math.max(1, Math.ceil(waitS));
      return problem(asked, 'rate_limited', undefined, {
        'Retry-After': String(seconds),
        RateLimit: `"${what}";r=0;t=${seconds}`,
        'RateLimit-Policy': policy,
      });
    },
  };
}
