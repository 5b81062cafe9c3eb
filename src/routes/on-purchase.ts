import { viewOfPurchase } from '../feed/view.ts';
import type { Answer } from '../http/answer.ts';
import type { Asked } from '../http/asked.ts';
import { type FieldErrors, refuseOthers } from '../http/input.ts';
import { type ProblemCode, problem } from '../http/problem.ts';
import type { Refused } from '../store/admin-answers.ts';
import { lockPurchase } from '../store/payments.ts';
import type { Postgres, Transaction } from '../store/postgres.ts';
import { type CommittedDecision, findDecision } from '../store/receipts.ts';
import { within } from '../store/within.ts';
import { readOptionalJson } from './body.ts';
import { answerOnce } from './once.ts';

/** What an operator does to one purchase. */
export interface Deed<T> {
  /** Reads the body; an absent one is an empty object. */
  readonly read: (body: unknown) => { readonly wish: T } | { readonly errors: FieldErrors };
  /** Does it, or says why not; then it has changed nothing. */
  readonly act: (client: Transaction, purchase: CommittedDecision, wish: T) => Promise<Refusal | undefined>;
}

export interface Refusal {
  readonly code: ProblemCode;
  /** Further members of the problem. */
  readonly more?: Readonly<Record<string, unknown>>;
}

/** Does something to the purchase of a code, once for each Idempotency-Key, and answers with the purchase as it is then. */
export async function answerOnPurchase<T>(postgres: Postgres, asked: Asked, deed: Deed<T>): Promise<Answer> {
  const body = await readOptionalJson(asked);
  if ('refused' in body) return body.refused;
  const read = deed.read(body.value);
  const errors: FieldErrors = 'errors' in read ? { ...read.errors } : {};
  refuseOthers(asked.query, [], errors);
  if ('errors' in read || Object.keys(errors).length > 0)
    return problem(asked, 'validation_failed', { errors });
  const { code = '' } = asked.params;
  let purchase: CommittedDecision | undefined;
  return answerOnce(
    postgres,
    'payments',
    asked,
    body.bytes,
    async (client) => {
      const refusal = await deed.act(client, purchase as CommittedDecision, read.wish);
      if (refusal !== undefined) return { refused: problem(asked, refusal.code, refusal.more) };
      const after = (await findDecision(within(client), code)) as CommittedDecision;
      return { status: 200, body: JSON.stringify(viewOfPurchase(after)) };
    },
    async (client): Promise<Refused<Answer> | undefined> => {
      await lockPurchase(client, code);
      purchase = await findDecision(within(client), code);
      return purchase ? undefined : { refused: problem(asked, 'checkout_not_found') };
    },
  );
}
