import { pause, waitMs } from './backoff.ts';
import type { ServerClock } from './clock.ts';
import { Refusal, type RefusalCode, refusalOf } from './errors.ts';

/** Called before each wait. */
export type OnWait = (why: Refusal, waitMs: number) => void;

/** How long a call may take, and how to leave it. */
export interface CallOptions {
  /** Ends the call, whether it waits or asks; it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** After so many milliseconds no further try begins, and the last refusal is thrown. */
  readonly patienceMs?: number | undefined;
  readonly onWait?: OnWait | undefined;
}

export interface Call extends CallOptions {
  readonly method?: 'GET' | 'POST' | undefined;
  /** From the service's address, without a slash before it. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>> | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Codes beside those of RETRIED that are worth another try. */
  readonly alsoRetried?: readonly RefusalCode[] | undefined;
}

export interface SendDeps {
  readonly baseUrl: string;
  readonly fetch: typeof globalThis.fetch;
  readonly clock: ServerClock;
  /** The token of the buyer; undefined where none is needed. */
  readonly token: () => string | undefined;
}

/** An answer of 2xx, read to its end. */
export interface Heard<T> {
  readonly headers: Headers;
  readonly body: T;
}

/** Sends a request until its answer is one to act on; every request that the client sends may be sent again. */
export type Send = <T>(call: Call) => Promise<Heard<T>>;

/** Nothing happened, or the same request finds out what did. */
export const RETRIED: readonly RefusalCode[] = [
  'network',
  'timeout',
  'overloaded',
  'unavailable',
  'outcome_unknown',
  'rate_limited',
  'request_timeout',
];
/** A try may take as long as the service allows a request. */
const TRY_MS = 10_000;
const PATIENCE_MS = 15_000;

export function createSend(deps: SendDeps): Send {
  return async <T>(call: Call) => {
    const { signal, patienceMs = PATIENCE_MS, onWait, alsoRetried = [] } = call;
    const endMs = performance.now() + patienceMs;
    for (let failed = 1; ; failed++) {
      const outcome = await tryOnce(deps, call);
      if (!(outcome instanceof Refusal)) return outcome as Heard<T>;
      const isRetried = RETRIED.includes(outcome.code) || alsoRetried.includes(outcome.code);
      const ms = waitMs(failed, outcome.retryAfterMs);
      if (!isRetried || performance.now() + ms > endMs) throw outcome;
      onWait?.(outcome, ms);
      await pause(ms, signal);
    }
  };
}

/** The answer to one request, if it is 2xx; else why not. Throws the reason of the caller's signal only. */
async function tryOnce(
  deps: SendDeps,
  { method = 'GET', signal, ...call }: Call,
): Promise<Heard<unknown> | Refusal> {
  signal?.throwIfAborted();
  const tooLate = new AbortController();
  const timer = setTimeout(() => tooLate.abort(), TRY_MS);
  const token = deps.token();
  const sentMs = Date.now();
  try {
    const response = await deps.fetch(urlOf(deps.baseUrl, call), {
      method,
      headers: { ...(token !== undefined && { Authorization: `Bearer ${token}` }), ...call.headers },
      signal: signal ? AbortSignal.any([signal, tooLate.signal]) : tooLate.signal,
    });
    deps.clock.saw(response.headers.get('Date'), sentMs, Date.now());
    if (!response.ok) return await refusalOf(response);
    const text = await response.text();
    return { headers: response.headers, body: JSON.parse(text) };
  } catch (cause) {
    signal?.throwIfAborted();
    if (cause instanceof SyntaxError)
      return new Refusal('not_understood', 'The answer is no JSON: is this the service?', { cause });
    return tooLate.signal.aborted
      ? new Refusal('timeout', 'The service did not answer in time.', { cause })
      : new Refusal('network', 'The service cannot be reached.', { cause });
  } finally {
    clearTimeout(timer);
  }
}

export function urlOf(baseUrl: string, { path, query = {} }: Pick<Call, 'path' | 'query'>): string {
  const url = new URL(path, baseUrl);
  for (const [name, value] of Object.entries(query))
    if (value !== undefined) url.searchParams.set(name, String(value));
  return url.href;
}
