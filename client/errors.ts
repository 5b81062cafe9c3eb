import type { Problem } from './contract.ts';

/** What may be wrong: a code of the contract, or what a client alone can see. */
export type RefusalCode = Problem['code'] | 'network' | 'timeout' | 'not_understood';

/** The service, or the way to it, said no: decide by `code`. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: RefusalCode;
  /** Of the answer; 0 when there was none. */
  readonly status: number;
  /** The whole problem, with its extension members (`errors`, `receipt`, …). */
  readonly problem: (Problem & Readonly<Record<string, unknown>>) | undefined;
  /** How long the service asked to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: RefusalCode,
    message: string,
    more: { status?: number; problem?: Refusal['problem']; retryAfterMs?: number; cause?: unknown } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.code = code;
    this.status = more.status ?? 0;
    this.problem = more.problem;
    this.retryAfterMs = more.retryAfterMs;
  }
}

/** The refusal that an answer other than 2xx is. */
export async function refusalOf(response: Response): Promise<Refusal> {
  const { status, headers } = response;
  const retryAfterMs = readRetryAfter(headers.get('Retry-After'));
  const wait = retryAfterMs === undefined ? {} : { retryAfterMs };
  const problem = (await response.json().catch(() => undefined)) as Refusal['problem'];
  if (typeof problem?.code === 'string')
    return new Refusal(problem.code, problem.message, { status, problem, ...wait });
  // A gateway's own page.
  const code = status === 503 || status === 502 || status === 504 ? 'unavailable' : 'not_understood';
  return new Refusal(code, `The answer was ${status}, and no problem of the service.`, { status, ...wait });
}

/** Seconds, or a date (RFC 9110, 10.2.3), in milliseconds from now. */
function readRetryAfter(text: string | null): number | undefined {
  if (text === null) return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}
