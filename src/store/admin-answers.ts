import { type Postgres, statement, type Transaction } from './postgres.ts';

const sql = {
  claim: statement('claim_admin_key'),
  read: statement('read_admin_answer'),
  keep: statement('keep_admin_answer'),
  letGo: statement('let_go_admin_key'),
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

/** Why a request is refused; nothing of it has happened. */
export interface Refused<R> {
  readonly refused: R;
}

export type Outcome<R = never> =
  | 'mismatch'
  | Refused<R>
  | { readonly answer: KeptAnswer; readonly isReplayed: boolean };

/** What a request does within its transaction. A refusal is a value, and is not kept; then it has changed nothing. */
export type OnceWork<R> = (client: Transaction) => Promise<KeptAnswer | Refused<R>>;

/**
 * Does `work` in one transaction, and keeps its answer in it under the key: the same request hears it again and nothing happens;
 * another one is a mismatch. Without a key, `work` is simply done. `table` is what it is mainly about. Throws what `work` throws,
 * Overloaded when the same request is under way for longer than LOCK_MS, and as `Postgres.transaction` does; then nothing is kept.
 *
 * @param before what comes first in the transaction, before it has written anything: it may refuse, too
 */
export function doOnce<R = never>(
  postgres: Postgres,
  table: string,
  keyed: KeyedRequest | undefined,
  work: OnceWork<R>,
  before?: (client: Transaction) => Promise<Refused<R> | undefined>,
): Promise<Outcome<R>> {
  return postgres.transaction(table, async (client) => {
    await client.query(`set local lock_timeout = ${LOCK_MS}`);
    const refused = await before?.(client);
    if (refused !== undefined) return refused;
    if (keyed === undefined) return outcomeOf(await work(client));
    const { key, request } = keyed;
    const claimed = await client.query({ ...sql.claim, values: [key, request] });
    if (claimed.rowCount === 0) return readKept(client, keyed);
    const done = await work(client);
    if ('refused' in done) await client.query({ ...sql.letGo, values: [key] });
    else await client.query({ ...sql.keep, values: [key, done.status, done.location ?? null, done.body] });
    return outcomeOf(done);
  });
}

const outcomeOf = <R>(done: KeptAnswer | Refused<R>): Outcome<R> =>
  'refused' in done ? done : { answer: done, isReplayed: false };

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
