import { pause, waitMs } from './backoff.ts';
import { Refusal, refusalOf } from './errors.ts';
import { messagesOf } from './event-stream.ts';
import { RETRIED, type SendDeps, urlOf } from './send.ts';

/** What changed in a sale, and its counts. */
export interface LiveMessage {
  readonly items_sold: number;
  readonly items_held: number;
  readonly items_left: number;
  readonly state: 'scheduled' | 'active' | 'paused' | 'ended' | 'cancelled';
  /** What is left of the items that changed. */
  readonly items: Readonly<Record<string, number>>;
}

export interface LiveOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called when the stream is (again) open: what changed meanwhile was not told. */
  readonly onOpen?: (() => void) | undefined;
  /** Called before each wait for another try. */
  readonly onWait?: ((why: Refusal | undefined, waitMs: number) => void) | undefined;
}

/** A stream that is silent for longer than three of the service's beats is broken. */
const SILENT_MS = 50_000;

/**
 * What happens in a sale, at most once a second, until it has ended; the first message has the counts. Connects again as long as it takes:
 * only the signal, which rejects with its reason, and refusals that waiting does not change end it.
 */
export async function* live(
  deps: SendDeps,
  saleId: string,
  { signal, onOpen, onWait }: LiveOptions = {},
): AsyncGenerator<LiveMessage> {
  for (let failed = 0; ; ) {
    let why: Refusal | undefined;
    try {
      for await (const message of connect(deps, saleId, signal, onOpen)) {
        failed = 0;
        yield message;
        if (message.state === 'ended' || message.state === 'cancelled') return;
      }
    } catch (error) {
      signal?.throwIfAborted();
      why =
        error instanceof Refusal ? error : new Refusal('network', 'The stream broke off.', { cause: error });
      if (why.status === NO_MORE) return;
      if (!RETRIED.includes(why.code)) throw why;
    }
    // A worker that leaves ends its streams: others are there at once.
    failed++;
    const ms = waitMs(failed, why?.retryAfterMs);
    onWait?.(why, ms);
    await pause(ms, signal);
  }
}

/** The sale has ended. */
const NO_MORE = 204;

async function* connect(
  deps: SendDeps,
  saleId: string,
  signal: AbortSignal | undefined,
  onOpen: (() => void) | undefined,
): AsyncGenerator<LiveMessage> {
  const silent = new AbortController();
  let timer = setTimeout(() => silent.abort(), SILENT_MS);
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => silent.abort(), SILENT_MS);
  };
  try {
    const sentMs = Date.now();
    const response = await deps.fetch(urlOf(deps.baseUrl, { path: `sales/${saleId}/live` }), {
      headers: { Accept: 'text/event-stream' },
      signal: signal ? AbortSignal.any([signal, silent.signal]) : silent.signal,
    });
    deps.clock.saw(response.headers.get('Date'), sentMs, Date.now());
    if (response.status === NO_MORE)
      throw new Refusal('sale_not_active', 'The sale has ended.', { status: NO_MORE });
    if (!response.ok || response.body === null) throw await refusalOf(response);
    onOpen?.();
    for await (const { data } of messagesOf(response.body, heard)) yield JSON.parse(data) as LiveMessage;
  } finally {
    clearTimeout(timer);
    silent.abort();
  }
}
