import { createHash } from 'node:crypto';
import { header } from '../contract/parameters.ts';
import { textOf } from '../contract/schema.ts';
import { type Answer, JSON_TYPE } from '../http/answer.ts';
import type { Asked } from '../http/asked.ts';
import { problem } from '../http/problem.ts';
import { doOnce, KEPT_HOURS, type OnceWork, type Refused } from '../store/admin-answers.ts';
import type { Postgres, Transaction } from '../store/postgres.ts';

/** An Idempotency-Key: printable ASCII, quoted or not. */
const KEY = /^[\x21-\x7e]{1,255}$/;

export const IDEMPOTENCY_KEY = header(
  'Idempotency-Key',
  `A key of your own for this request, such as a UUID. Sent again with the same request within ${KEPT_HOURS} hours, it hears the first answer again, with \`Idempotent-Replayed: true\`, and nothing happens. A request that was refused is not kept.`,
  textOf(KEY),
);

/**
 * Answers a POST of the admin API by what `work` does within one transaction: once for each Idempotency-Key, any number of times
 * without one. `bytes` is the body. Call it when the request is known to be valid: what it refuses before is not kept. For `before`
 * and what is thrown, see `doOnce`.
 */
export async function answerOnce(
  postgres: Postgres,
  table: string,
  asked: Asked,
  bytes: Uint8Array,
  work: OnceWork<Answer>,
  before?: (client: Transaction) => Promise<Refused<Answer> | undefined>,
): Promise<Answer> {
  const key = asked.headers.idempotencyKey;
  if (key !== undefined && !KEY.test(key)) {
    const errors = {
      'Idempotency-Key': 'Idempotency-Key must be 1 to 255 printable ASCII characters without space',
    };
    return problem(asked, 'validation_failed', { errors });
  }
  const keyed = key === undefined ? undefined : { key, request: digestOf(asked, bytes) };
  const outcome = await doOnce<Answer>(postgres, table, keyed, work, before);
  if (outcome === 'mismatch') return problem(asked, 'idempotency_mismatch');
  if ('refused' in outcome) return outcome.refused;
  const { status, location, body } = outcome.answer;
  const headers = {
    ...(location !== undefined && { Location: location }),
    ...(outcome.isReplayed && { 'Idempotent-Replayed': 'true' }),
  };
  return { status, type: JSON_TYPE, body, headers };
}

/** The same for equal requests only. */
function digestOf({ method, path, query, headers }: Asked, bytes: Uint8Array): string {
  const head = JSON.stringify([method, path, [...query], headers.contentType]);
  return createHash('sha256').update(`${head}\n`).update(bytes).digest('hex');
}
