import { type Postgres, statement, type Transaction } from './postgres.ts';

const sql = {
  claim: statement('claim_admin_key'),
  read: statement('read_admin_answer'),
  keep: statement('keep_admin_answer'),
  prune: statement('prune_admin_answers'),
};

/** How long an answer is kept, in hours: a shop's job that failed at night is started again in the morning. */
export const KEPT_HOURS = 24;
/** Answers forgotten per call: some 50 ms. */
const PRUNED_MAX = 10_000;
/**
 * How long a request waits for a lock in its transaction, in ms, such as the one on its key that the same request holds, sent a
 * moment before; below the deadline of a statement. Then it is refused as Overloaded.
 */
const LOCK_MS = 1_000;

/** An Idempotency-Key, and the SHA-256 of the request that it was sent with. */
export interface KeyedRequest {
  readonly key: string;
  readonly request: string;
}

/** What is kept of an answer. */
export interface KeptAnswer {
  readonly status: number;
  readonly location?: string;
  readonly body: string;
}

export type Outcome = 'mismatch' | { readonly answer: KeptAnswer; readonly isReplayed: boolean };

/**
 * Does `work` in one transaction, and keeps its answer in it under the key: the same request hears it again and nothing happens;
 * another one is a mismatch. Without a key, `work` is simply done. `table` is what it is mainly about. Throws what `work` throws,
 * Overloaded when the same request is under way for longer than LOCK_MS, and as `Postgres.transaction` does; then nothing is kept.
 */
export function doOnce(
  postgres: Postgres,
  table: string,
  keyed: KeyedRequest | undefined,
  work: (client: Transaction) => Promise<KeptAnswer>,
): Promise<Outcome> {
  return postgres.transaction(table, async (client) => {
    if (keyed === undefined) return { answer: await work(client), isReplayed: false };
    const { key, request } = keyed;
    await client.query(`set local lock_timeout = ${LOCK_MS}`);
    const claimed = await client.query({ ...sql.claim, values: [key, request] });
    if (claimed.rowCount === 0) return readKept(client, keyed);
    const answer = await work(client);
    await client.query({ ...sql.keep, values: [key, answer.status, answer.location ?? null, answer.body] });
    return { answer, isReplayed: false };
  });
}

async function readKept(client: Transaction, { key, request }: KeyedRequest): Promise<Outcome> {
  const { rows } = await client.query<{
    request: string;
    status: number;
    location: string | null;
    body: string;
  }>({ ...sql.read, values: [key] });
  const [kept] = rows;
  if (kept === undefined || kept.request !== request) return 'mismatch';
  const { status, location, body } = kept;
  return { answer: { status, body, ...(location !== null && { location }) }, isReplayed: true };
}

/** Forgets what was kept for longer than KEPT_HOURS. Throws as `Postgres.query` does. */
export async function pruneAnswers(postgres: Postgres): Promise<void> {
  await postgres.query(sql.prune, [KEPT_HOURS, PRUNED_MAX]);
}
