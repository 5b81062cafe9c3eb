import type { Batcher } from '../store/batcher.ts';
import { Overloaded } from '../store/errors.ts';

export interface AgeLimits {
  /** How long an operation may take, in ms, before it counts as late. */
  readonly targetMs: number;
  /** How long operations may be late, in ms, before the first is refused: a burst is no overload. */
  readonly patienceMs: number;
}

/** After an overload, patience is not granted again for this long: the crowd is still there. */
const MEMORY_MS = 1_000;

/** A refusal must be cheap: one error for all, whose stack nobody needs. */
const REFUSED = new Overloaded('operations take too long');

/** Measures how long operations take, by one of them at a time: the probe. */
export function createGauge({ targetMs, patienceMs }: AgeLimits) {
  let probing = false;
  let probeAt = 0;
  let endedAt = Number.NEGATIVE_INFINITY;
  /** Since when no probe has been in time; undefined when the last one was. */
  let lateSince: number | undefined;
  let lastOverload = Number.NEGATIVE_INFINITY;

  return {
    /** True when the operation that begins now is the probe; then call `end`. */
    begin(at: number): boolean {
      if (probing) return false;
      probing = true;
      probeAt = at;
      return true;
    },
    end(at: number): void {
      probing = false;
      endedAt = at;
      if (at - probeAt <= targetMs) lateSince = undefined;
      else lateSince ??= probeAt + targetMs;
    },
    get isProbing() {
      return probing;
    },
    isOverloaded(at: number): boolean {
      if (!probing && at - endedAt > targetMs) lateSince = undefined;
      if (probing && at - probeAt > targetMs) lateSince ??= probeAt + targetMs;
      if (lateSince === undefined) return false;
      const isPatient = at - lastOverload > MEMORY_MS && at - lateSince < patienceMs;
      if (!isPatient) lastOverload = at;
      return !isPatient;
    },
  };
}

/** Sheds load of a sale's two queues by what both of them show. */
export interface Shedder {
  /** Refuses with Overloaded, at once, while either kind of operation takes too long. */
  checkouts<Op, Result>(batcher: Batcher<Op, Result>): Batcher<Op, Result>;
  /** Refuses nothing: the checkout of a purchase was served, and refusing would waste that work. */
  purchases<Op, Result>(batcher: Batcher<Op, Result>): Batcher<Op, Result>;
  /** Whether anything was refused since the last call. */
  takeRefused(): boolean;
}

/**
 * Sheds by age, after CoDel (https://queue.acm.org/detail.cfm?id=2209336): a queue that is long for a moment is useful,
 * one that stays long only adds latency. The age is the time of a probe from `add` to its result, whether it waits for
 * Redis, for Postgres or for this process' own event loop. `now` is a clock in ms.
 */
export function createShedder(
  limits: { readonly checkout: AgeLimits; readonly purchase: AgeLimits },
  now: () => number = () => performance.now(),
): Shedder {
  const checkout = createGauge(limits.checkout);
  const purchase = createGauge(limits.purchase);

  const watch = <Op, Result>(batcher: Batcher<Op, Result>, gauge: typeof checkout, op: Op, at: number) => {
    const result = batcher.add(op);
    if (gauge.begin(at)) {
      const end = () => gauge.end(now());
      result.then(end, end);
    }
    return result;
  };
  // Without a probe in flight nothing is known about checkouts: admit the next one as the probe.
  const isOverloaded = (at: number) =>
    purchase.isOverloaded(at) || (checkout.isProbing && checkout.isOverloaded(at));
  let hasRefused = false;
  const refuse = () => {
    hasRefused = true;
    return Promise.reject(REFUSED);
  };

  return {
    checkouts: (batcher) => ({
      get pending() {
        return batcher.pending;
      },
      add(op) {
        const at = now();
        return isOverloaded(at) ? refuse() : watch(batcher, checkout, op, at);
      },
    }),
    purchases: (batcher) => ({
      get pending() {
        return batcher.pending;
      },
      add: (op) => watch(batcher, purchase, op, now()),
    }),
    takeRefused() {
      const refused = hasRefused;
      hasRefused = false;
      return refused;
    },
  };
}
