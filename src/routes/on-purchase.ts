import { viewOfPurchase } from '../feed/purchase-view.ts';
import type { Answer } from '../http/answer.ts';
import type { Asked } from '../http/asked.ts';
import { type FieldErrors, refuseOthers } from '../http/input.ts';
import { type Extensions, type ProblemCode, problem } from '../http/problem.ts';
import { logFields } from '../http/request-log.ts';
import { saleOfCode } from '../store/checkouts.ts';
import { lockPurchase } from '../store/payments.ts';
import type { Transaction } from '../store/postgres.ts';
import { type CommittedDecision, findDecision } from '../store/receipts.ts';
import { type GivenBack, shelveGiven } from '../store/returns.ts';
import { within } from '../store/within.ts';
import { readOptionalJson } from './body.ts';
import type { RouteDeps } from './deps.ts';
import { answerOnce } from './once.ts';

export type PurchaseDeedDeps = Pick<RouteDeps, 'config' | 'log' | 'postgres' | 'redis'>;

/** What an operator does to one purchase. */
export interface Deed<T> {
  /** Reads the body; an absent one is an empty object. */
  readonly read: (body: unknown) => { readonly wish: T } | { readonly errors: FieldErrors };
  /** Does it in a transaction, or says why not; then it has changed nothing. */
  readonly act: (client: Transaction, purchase: CommittedDecision, wish: T) => Promise<Done>;
}

export interface Done {
  /** What came back to the shelf. */
  readonly given?: GivenBack;
  readonly refused?: { readonly code: ProblemCode; readonly more?: Extensions };
}

/**
 * Does something to the purchase of a code, once for each Idempotency-Key, and answers with the purchase as it is then. What came
 * back is put on the shelf at once; where that fails, the leader does it.
 */
export async function answerOnPurchase<T>(
  { log, postgres, redis }: PurchaseDeedDeps,
  asked: Asked,
  deed: Deed<T>,
): Promise<Answer> {
  const body = await readOptionalJson(asked);
  if ('refused' in body) return body.refused;
  const read = deed.read(body.value);
  const errors: FieldErrors = 'errors' in read ? read.errors : {};
  refuseOthers(asked.query, [], errors);
  if ('errors' in read || Object.keys(errors).length > 0)
    return problem(asked, 'validation_failed', { errors });
  const { code = '' } = asked.params;
  if (saleOfCode(code) === undefined) return problem(asked, 'checkout_not_found');
  const seen: { purchase?: CommittedDecision | undefined; given?: GivenBack | undefined } = {};
  const answer = await answerOnce(
    postgres,
    'payments',
    asked,
    body.bytes,
    async (client) => {
      const done = await deed.act(client, seen.purchase as CommittedDecision, read.wish);
      if (done.refused) return { refused: problem(asked, done.refused.code, done.refused.more) };
      seen.given = done.given;
      const after = (await findDecision(within(client), code)) as CommittedDecision;
      return { status: 200, body: JSON.stringify(viewOfPurchase(after)) };
    },
    async (client) => {
      await lockPurchase(client, code);
      seen.purchase = await findDecision(within(client), code);
      return seen.purchase ? undefined : { refused: problem(asked, 'checkout_not_found') };
    },
  );
  if (seen.purchase && seen.given) {
    const { saleId } = seen.purchase.decision;
    await shelveGiven(redis, postgres, saleId, seen.given).catch((err: unknown) =>
      log.debug({ ...logFields(asked), err }, 'units that came back are left to the leader'),
    );
  }
  return answer;
}

/** What every deed may be answered with. */
export const DEED_PROBLEMS = [
  'validation_failed',
  'malformed_request',
  'unauthorized',
  'checkout_not_found',
  'nothing_bought',
  'body_too_large',
  'unsupported_media_type',
  'idempotency_mismatch',
  'overloaded',
  'unavailable',
] as const satisfies readonly ProblemCode[];
