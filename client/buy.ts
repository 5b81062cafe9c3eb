import type { Receipt } from './contract.ts';
import { Refusal, type RefusalCode } from './errors.ts';
import { type CallOptions, type OnWait, RETRIED, type Send } from './send.ts';

/** Decided or not: nobody could say before the patience was over. `buy` with the same code finds out. */
export class OutcomeUnknown extends Error {
  override readonly name = 'OutcomeUnknown';
  readonly code: string;

  constructor(code: string, cause: unknown) {
    super('Whether the purchase went through is not known yet: buy the same code again.', { cause });
    this.code = code;
  }
}

/** A drop is over in a minute, and a service that lost a store is back within one. */
const PATIENCE_MS = 60_000;

/**
 * Buys the cart of a code. Posts the same code until its outcome is known: through resets, 503 and `sale_paused`. A receipt comes
 * back whether its lines were bought or lost. Throws a Refusal when nothing was decided, OutcomeUnknown when that is not known.
 */
export async function buy(send: Send, code: string, options: CallOptions = {}): Promise<Receipt> {
  let isUnknown = false;
  const onWait: OnWait = (why, ms) => {
    isUnknown ||= leavesUnknown(why);
    options.onWait?.(why, ms);
  };
  try {
    const { body } = await send<Receipt>({
      patienceMs: PATIENCE_MS,
      ...options,
      method: 'POST',
      path: 'purchase',
      query: { code },
      // With it a repeat gets the first answer again.
      headers: { 'Idempotency-Key': code },
      alsoRetried: ['sale_paused'],
      onWait,
    });
    return body;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    // `all_items_sold` and `already_processed` carry what was decided.
    if (error.problem?.receipt) return error.problem.receipt as Receipt;
    // Any refusal but those settles it: a code that was decided would have been answered so.
    const isSettled = !UNSETTLED.includes(error.code);
    if (!isSettled && (isUnknown || leavesUnknown(error))) throw new OutcomeUnknown(code, error);
    throw error;
  }
}

/** What says nothing of the tries before, one of which may have decided the code: a token, too, can expire between two of them. */
const UNSETTLED: readonly RefusalCode[] = [
  ...RETRIED,
  'sale_paused',
  'buyer_unproven',
  'buyer_mismatch',
  'internal_error',
  'not_understood',
];

/** Whether the try may have decided the code, though its answer did not say so. A gateway's 5xx is no answer of the service. */
const leavesUnknown = ({ code, status, problem }: Refusal): boolean =>
  code === 'outcome_unknown' ||
  code === 'network' ||
  code === 'timeout' ||
  code === 'internal_error' ||
  (status >= 500 && problem === undefined);
