import { pause, waitMs } from './backoff.ts';
import { Refusal, refusalOf } from './errors.ts';
import { messagesOf } from './event-stream.ts';
import { RETRIED, type SendDeps, urlOf } from './send.ts';

export interface FollowOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called when the stream is (again) open: what changed meanwhile was not told. */
  readonly onOpen?: (() => void) | undefined;
  /** Called before each wait for another try. */
  readonly onWait?: ((why: Refusal | undefined, waitMs: number) => void) | undefined;
}

/** A stream that is silent for longer than three of the service's beats is broken. */
const SILENT_MS = 50_000;
/** What was followed is over. */
const OVER = 204;

/**
 * The messages of a stream of the service. Connects again as long as it takes: only the signal, which rejects with its reason, the answer
 * that it is over, and refusals that waiting does not change end it.
 */
export async function* follow<T>(
  deps: SendDeps,
  path: string,
  { signal, onOpen, onWait }: FollowOptions,
): AsyncGenerator<T> {
  for (let failed = 0; ; ) {
    let why: Refusal | undefined;
    const stream = connect<T>(deps, path, signal, onOpen);
    try {
      for (let next = await stream.next(); ; next = await stream.next()) {
        if (next.done && next.value === OVER) return;
        if (next.done) break;
        failed = 0;
        yield next.value;
      }
    } catch (error) {
      signal?.throwIfAborted();
      why =
        error instanceof Refusal ? error : new Refusal('network', 'The stream broke off.', { cause: error });
      if (!RETRIED.includes(why.code)) throw why;
    } finally {
      // Whoever has heard enough leaves in the middle of it: the connection ends with him.
      await stream.return(OVER);
    }
    // A worker that leaves ends its streams: others are there at once.
    failed++;
    const ms = waitMs(failed, why?.retryAfterMs);
    onWait?.(why, ms);
    await pause(ms, signal);
  }
}

/** One connection; returns the status with which it ended. */
async function* connect<T>(
  deps: SendDeps,
  path: string,
  signal: AbortSignal | undefined,
  onOpen: (() => void) | undefined,
): AsyncGenerator<T, number> {
  const silent = new AbortController();
  let timer = setTimeout(() => silent.abort(), SILENT_MS);
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => silent.abort(), SILENT_MS);
  };
  const token = deps.token();
  try {
    const sentMs = Date.now();
    const response = await deps.fetch(urlOf(deps.baseUrl, { path }), {
      headers: {
        Accept: 'text/event-stream',
        ...(token !== undefined && { Authorization: `Bearer ${token}` }),
      },
      signal: signal ? AbortSignal.any([signal, silent.signal]) : silent.signal,
    });
    deps.clock.saw(response.headers.get('Date'), sentMs, Date.now());
    if (response.status === OVER) return OVER;
    if (!response.ok || response.body === null) throw await refusalOf(response);
    onOpen?.();
    for await (const { data } of messagesOf(response.body, heard)) yield JSON.parse(data) as T;
    return response.status;
  } finally {
    clearTimeout(timer);
    silent.abort();
  }
}
